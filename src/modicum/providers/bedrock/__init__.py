"""What the APIs of Amazon Bedrock have in common: the frames of their streams, and their errors."""
