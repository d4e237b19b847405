"""Policies on the past."""
