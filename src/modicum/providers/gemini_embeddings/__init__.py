"""The dialect of Gemini's embeddings."""
