"""`modicum trial`: runs a command with and without a saver, meters it and judges."""
