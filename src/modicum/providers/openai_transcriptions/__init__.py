"""The dialect of OpenAI's transcriptions."""
