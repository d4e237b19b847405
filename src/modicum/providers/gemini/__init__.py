"""What Gemini's dialects have in common."""
