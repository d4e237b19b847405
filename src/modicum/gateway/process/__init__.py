"""One process of the gateway: its start, its listener, its log and metrics, what it finds when it begins."""
