"""Streams that are ended before their upstream ends them, as their dialects end a reply that is too long."""
