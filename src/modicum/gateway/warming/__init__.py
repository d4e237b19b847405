"""Prompt caches kept warm: pings that renew what a conversation left there, while its next call is likely to come."""
