"""The dialect of those who rank documents, as Cohere began it."""
