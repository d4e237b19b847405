"""What was called and what it cost, kept: booking (a call becomes an entry), the store, its schema and questions."""
