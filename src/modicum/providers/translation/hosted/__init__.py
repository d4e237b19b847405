"""Requests to a maker's own API for models that a cloud serves, and back."""
