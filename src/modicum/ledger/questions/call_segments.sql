-- The segments that one call bore, in their order, with their digests: by these who has the log finds the text there.
SELECT position, kind, tool, tokens, is_error, digest
FROM segments
WHERE entry_id = $entry_id
ORDER BY position
