-- The windows of energy that began in a time.
SELECT *
FROM energy_windows
WHERE started >= $since AND started < $until
ORDER BY started, window_id
