"""Entries summed by day, so that questions over years do not read every entry."""
