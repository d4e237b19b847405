"""The dialect of OpenAI's realtime API: a WebSocket on which a model listens and speaks."""
