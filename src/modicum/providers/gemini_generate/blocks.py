"""What the model sees of a request to Gemini.

Source: https://ai.google.dev/api/generate-content.
"""

from collections.abc import Mapping
from typing import Any

from modicum.providers.blocks import Block
from modicum.providers.message_blocks import context_blocks


def request_blocks(request: Mapping[str, Any]) -> list[Block]:
    """What the model sees of a request, in the order in which the prompt cache does: tools, system, contents."""
    system = request.get("systemInstruction") or request.get("system_instruction")
    return context_blocks(request.get("contents"), request.get("tools"), system)
