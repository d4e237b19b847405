"""Claude on Amazon Bedrock, in its own words: InvokeModel."""
