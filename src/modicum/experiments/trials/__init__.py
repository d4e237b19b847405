"""A trial: the same tasks with and without a saver, by lot, and a verdict that anybody can recompute."""
