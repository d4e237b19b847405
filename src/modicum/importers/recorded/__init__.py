"""Providers' own records: request and response bodies, batches, usage reports."""
