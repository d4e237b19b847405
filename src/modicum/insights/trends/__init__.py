"""How things went over time."""
