"""What learns, from prompts and outcomes, how good each model is at a prompt. One file a learner."""
