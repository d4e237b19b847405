"""`modicum route`: its verbs, and the tables that they print."""
