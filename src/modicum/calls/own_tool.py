"""A tool that whoever runs the rules answers itself: the model may call it, and the caller never sees that."""

from typing import Any

import msgspec


class OwnTool(msgspec.Struct, frozen=True):
    """As it is offered to the model."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON schema of its arguments: an object."""

    @property
    def tokens(self) -> int:
        """Its share of a prompt, estimated by its length."""
        return len(msgspec.json.encode(self)) // 4 + 1
