-- What may explain why a prompt was not read from the cache: events between two calls (JSON list), the version of the
-- program that sent it, and the reason that the provider gives.
ALTER TABLE entries ADD COLUMN prompt_events VARCHAR DEFAULT '[]';
ALTER TABLE entries ADD COLUMN client_version VARCHAR DEFAULT '';
ALTER TABLE entries ADD COLUMN cache_miss VARCHAR DEFAULT '';
