"""The rules that may change a call before it is sent. None yet: the place is kept."""

from collections.abc import Callable

from modicum.gateway.exchange import Exchange

Rule = Callable[[Exchange], None]

RULES: tuple[Rule, ...] = ()
"""In the order in which they are asked."""
