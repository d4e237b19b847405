-- What may explain why a prompt was not read from the cache: events between two calls (JSON list), the version of the
-- program that sent it, and the reason that the provider gives.
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS prompt_events LowCardinality(String) DEFAULT '[]';
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS client_version LowCardinality(String) DEFAULT '';
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS cache_miss LowCardinality(String) DEFAULT '';

DROP VIEW IF EXISTS entries;

CREATE VIEW entries AS SELECT * EXCEPT (version) FROM entries_log FINAL;
