"""`modicum compare run`: asks models, grades their replies, and keeps to a budget."""
