"""What verbs print with: tables, progress, times and quantities as people write them."""
