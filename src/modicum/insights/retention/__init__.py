"""What is forgotten, and how that is put on record."""
