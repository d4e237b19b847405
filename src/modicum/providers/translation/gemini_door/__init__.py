"""Requests of Gemini's clients as OpenAI chat completions, and the replies on their way back."""
