-- What a call weighs in uncached input tokens of its own model, counted when it is booked: the rate of its day is known
-- then. NULL: not known, also for entries that were booked before. A view keeps the columns that it was made with.
ALTER TABLE entries_log ADD COLUMN IF NOT EXISTS effective_tokens Nullable(Float64);

DROP VIEW IF EXISTS entries;

CREATE VIEW entries AS SELECT * EXCEPT (version) FROM entries_log FINAL;
