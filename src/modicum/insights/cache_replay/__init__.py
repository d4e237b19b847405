"""What a replay of prompt caches has to know of a history: what was not logged, what conversations share."""
