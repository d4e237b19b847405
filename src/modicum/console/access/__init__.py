"""Who asks the console, and what that one may see and change: decided here, once, on the path that is served."""
