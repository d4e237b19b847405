"""Claude Code's transcripts: usage, contexts, ways of counting, steps to calibrate with."""
