"""Requests and replies that pass as they come, however large: paths that nobody meters, files, results of batches."""
