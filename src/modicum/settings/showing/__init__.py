"""How figures are shown: whose, and in which currency."""
