"""Claude's signed thinking, as a client of Gemini carries it: sealed in the signature of a part, which it sends back as
it was. Google's clients decode signatures from base64, so it stands in that once more.
"""

import binascii
from base64 import b64encode
from collections.abc import Sequence

from modicum.providers.translation.gemini_door.fields import Json
from modicum.providers.translation.kept_thinking import opened, sealed


def signature_with(blocks: Sequence[Json]) -> str:
    """The blocks as a signature; empty where none of them could go back."""
    return b64encode(sealed(blocks).encode("ascii")).decode("ascii")


def blocks_of(signature: str) -> list[Json]:
    """The blocks that `signature_with` made a signature of; none where somebody else made it."""
    try:
        return opened(binascii.a2b_base64(signature.replace("-", "+").replace("_", "/")).decode("ascii"))
    except ValueError:
        return []
