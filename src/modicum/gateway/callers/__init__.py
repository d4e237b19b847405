"""Who calls: credentials, keys, owners, and what of their headers goes on."""
