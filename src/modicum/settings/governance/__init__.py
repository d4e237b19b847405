"""What settings say of who may spend how much, and on what."""
