"""The dialect of OpenAI's completions of plain text."""
