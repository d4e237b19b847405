"""Logs that coding agents write, one file per agent; Claude Code, whose logs need more, has a folder of its own."""
