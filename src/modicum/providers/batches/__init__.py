"""Batches: many calls in one request, done within a day at half the price."""
