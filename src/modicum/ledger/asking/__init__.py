"""How questions are written and what they are asked with."""
