"""A trial: the same tasks with and without a saver, in an order drawn by lot, and a verdict that anybody can recompute."""
