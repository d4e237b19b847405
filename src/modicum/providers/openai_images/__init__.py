"""The dialect of OpenAI's pictures."""
