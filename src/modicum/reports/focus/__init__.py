"""Rows of the FinOps Open Cost and Usage Specification (FOCUS), from what calls were charged. Pure, but for writing."""
