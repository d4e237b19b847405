"""Any model of Amazon Bedrock, in the words of Bedrock: Converse."""
