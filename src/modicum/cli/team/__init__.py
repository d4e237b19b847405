"""`modicum team`: teams of agents, measured and planned. The verbs stand in `verbs.py`."""
