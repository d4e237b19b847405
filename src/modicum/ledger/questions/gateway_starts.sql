-- When calls that went through the gateway began, of those whose end is known.
SELECT entry_id, key_name, started
FROM entries
WHERE source = 'gateway' AND status <> 'unknown' AND started >= $since AND started <= $until
ORDER BY entry_id
