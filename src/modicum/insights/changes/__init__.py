"""What a change to history would have done, beside its dollars: seconds, and contexts that begin anew."""
