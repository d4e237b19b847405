"""Spans that gateways received: matched with calls that are known, and booked."""
