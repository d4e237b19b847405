"""Tasks that are run under several models and prompts, and how a reply is graded."""
