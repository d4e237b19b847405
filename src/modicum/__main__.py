"""`python -m modicum` is the command `modicum`."""

from modicum.cli import main

main()
