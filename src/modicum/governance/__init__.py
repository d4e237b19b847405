"""Keys, and later budgets and policies: events, and the state that is their fold. No I/O."""
