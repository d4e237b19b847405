"""Requests that repeat most of what came before them."""
