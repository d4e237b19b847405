"""What people wrote about calls, held on every way that a call may take."""
