"""Wire dialects: the JSON and event streams of providers, converted to calls. Pure; no sockets, no files."""
