-- What the energy of a step depends on beside the load (models, their servers' start, power limits), as a string to
-- compare. Empty: windows that were booked before, or that do not say.
ALTER TABLE energy_windows ADD COLUMN regime VARCHAR DEFAULT '';
