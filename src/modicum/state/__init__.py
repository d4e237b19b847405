"""What calls that run at the same time share: counters and the reservations on them."""
