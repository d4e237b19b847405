"""The responses API over a WebSocket: each turn is a call like any other."""
