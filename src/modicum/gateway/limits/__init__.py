"""Rate limits of callers and upstreams, and those that providers have for us."""
