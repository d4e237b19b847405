-- What the energy of a step depends on beside the load (models, their servers' start, power limits), as a string to
-- compare. Empty: windows that were booked before, or that do not say. A view keeps the columns that it was made with.
ALTER TABLE energy_log ADD COLUMN IF NOT EXISTS regime LowCardinality(String) DEFAULT '';

DROP VIEW IF EXISTS energy_windows;

CREATE VIEW energy_windows AS SELECT * FROM energy_log FINAL;
