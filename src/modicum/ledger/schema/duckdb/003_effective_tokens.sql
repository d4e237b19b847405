-- What a call weighs in uncached input tokens of its own model, counted when it is booked: the rate of its day is known
-- then. NULL: not known, also for entries that were booked before.
ALTER TABLE entries ADD COLUMN effective_tokens DOUBLE;
