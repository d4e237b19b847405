"""What the model sees of a request to OpenAI, in chat completions, responses, and their kin.

Sources: https://platform.openai.com/docs/api-reference/chat/create,
https://platform.openai.com/docs/api-reference/responses/create.
"""

from collections.abc import Mapping
from typing import Any

from modicum.providers.blocks import Block, schemas
from modicum.providers.fields import text
from modicum.providers.message_blocks import message_blocks, messages_blocks, system_blocks


def request_blocks(request: Mapping[str, Any]) -> list[Block]:
    """What the model sees of a request, in the order in which the prompt cache does: tools, system, messages."""
    blocks = schemas(request.get("tools")) + schemas(request.get("functions"))
    blocks += system_blocks(request.get("instructions"))
    return blocks + messages_blocks(request.get("messages")) + messages_blocks(request.get("input"))


def item_blocks(item: Mapping[str, Any]) -> list[Block]:
    """An item of the responses API's input or output; agents that speak it log the same items, and others besides."""
    kind = text(item.get("type"))
    is_known = "role" in item or kind in {"message", "reasoning"} or kind.endswith(("_output", "_call"))
    return message_blocks(item) if is_known else []
