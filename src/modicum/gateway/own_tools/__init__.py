"""Tools that the gateway answers itself: it asks the model again with their results, and the caller gets one reply."""
