"""Batches through the gateway: asked for, and booked once when their results come."""
