"""`modicum show`: a call, a session or a finding, closely."""
