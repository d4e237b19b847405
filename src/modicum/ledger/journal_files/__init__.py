"""The files of a journal beside what is written into them."""
