"""Amounts of money beside the dollars of price lists."""
