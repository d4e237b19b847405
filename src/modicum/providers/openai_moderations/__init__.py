"""The dialect of OpenAI's moderations."""
