"""Tools that a gateway offers and answers itself: how they stand in requests, and how their calls leave replies."""
