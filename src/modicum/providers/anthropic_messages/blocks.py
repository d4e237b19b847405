"""What the model sees of a request of the Messages API.

Source: https://docs.claude.com/en/api/messages.
"""

from collections.abc import Mapping
from typing import Any

from modicum.providers.blocks import Block
from modicum.providers.message_blocks import context_blocks


def request_blocks(request: Mapping[str, Any]) -> list[Block]:
    """What the model sees of a request, in the order in which the prompt cache does: tools, system, messages."""
    return context_blocks(request.get("messages"), request.get("tools"), request.get("system"))
