"""Types of events in streams, and what becomes of those that nobody knows."""
