"""Which tasks will fail, seen from what they did so far: a rule learned on an owner's tasks, or why there is none."""
