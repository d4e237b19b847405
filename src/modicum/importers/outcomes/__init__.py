"""Results of tasks: files of outcomes, commits."""
