"""Token counts of our own, for models whose upstream counts none; marked, so that each is known for what it is."""

import asyncio
from functools import partial

from modicum.gateway import meter
from modicum.metering.tokens import count_tokens
from modicum.outbound.keepalive import Header
from modicum.providers.body_parsing import encode
from modicum.providers.dialect import Dialect

HEADER = b"x-modicum-count"
MARKED: Header = (HEADER, b"estimated")
HAS_NONE = frozenset({404, 405, 501})
"""Statuses with which an upstream says that it counts no tokens."""


async def own_count(dialect: Dialect, body: bytes, model: str) -> bytes:
    """A reply to a request to count a prompt's tokens, as the dialect has it. Takes time, in a thread.

    Raises:
        DialectError: the request cannot be read.
    """
    count = partial(count_tokens, model=model)
    counted = await asyncio.get_running_loop().run_in_executor(None, dialect.prompt_tokens, body, count)
    return encode(dialect.mock.count(meter.fitted_count(counted, model)))
