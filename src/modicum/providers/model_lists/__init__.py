"""Lists of models: what one is, whoever writes it."""
