"""modicum as a library: the questions of the verbs, for programs and notebooks."""
