"""`modicum fix`: changes of a user's own files that a replay of their history says are worth it, and the way back."""
