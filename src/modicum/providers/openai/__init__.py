"""What OpenAI's dialects, and recordings of them, have in common."""
