"""Plans of teams of agents, applied to live calls."""
