"""What of a call is its question, and when two answers say the same."""

from typing import NamedTuple

import msgspec

from modicum.calls import SegmentKind
from modicum.calls.change import Change, DoesNotFit
from modicum.calls.prompt import content_digest
from modicum.gateway.exchange import Exchange
from modicum.gateway.reply_cache.same_call import digest_call, is_repeatable
from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.prompt import RequestPrompt

LONGEST_CHARACTERS = 4_000
"""Of a question; longer ones are hardly ever asked again in other words."""
_NOTHING = "?"
"""What stands in a frame in the place of the question."""


class Question(NamedTuple):
    text: str
    digest: bytes
    """Of the text."""
    frame: bytes
    """The same for calls that differ in nothing but this text."""


def question_of(exchange: Exchange, key: bytes) -> Question | None:
    """The last words of the user, where a call ends with them and asks for nothing but words; None: it is no question
    that another one could stand for.
    """
    if exchange.redaction is not None or not is_repeatable(exchange):
        return None
    prompt = exchange.prompt
    if not isinstance(prompt, RequestPrompt) or not prompt.is_known or not prompt.units:
        return None
    last = prompt.units[-1]
    text = last.text
    if last.kind is not SegmentKind.USER or not text or len(text) > LONGEST_CHARACTERS:
        return None
    try:
        frame = prompt.write(Change(replaced={last.place: _NOTHING}))
    except DoesNotFit:
        return None
    return Question(text, content_digest(text), digest_call(exchange, key, frame))


def meaning_of(text: str) -> bytes:
    """The same for answers that say the same: the same JSON data, or the same words but for case and white space.

    Two answers in other words count as different. That errs on the safe side: an answer is then given less often.
    """
    plain = text.strip()
    if plain[:1] in {"{", "["}:
        try:
            return content_digest(msgspec.json.encode(msgspec.json.decode(plain), order="sorted"))
        except UNREADABLE:
            pass
    return content_digest(" ".join(plain.casefold().split()).rstrip(".!"))
