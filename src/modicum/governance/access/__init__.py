"""Who may look at the console and change what: users, their roles, and tokens for programs. Events and their fold."""
