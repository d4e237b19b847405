"""Requests that prove who sends them, where a key alone does not: AWS's signatures, Google's access tokens."""
