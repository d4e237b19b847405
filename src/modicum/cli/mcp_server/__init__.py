"""Questions of agents to modicum, over the Model Context Protocol."""
