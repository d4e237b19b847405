"""The dialect of OpenAI's embeddings."""
