"""From what passed to a `Call`: usage as the provider counted it or, where it did not, as we estimate it.

Never 0 for want of figures. What a provider answers with an error has no usage: its cost is unknown.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from modicum.calls import Anatomy, Basis, Call, CallStatus, Usage
from modicum.gateway.attribution import Attribution
from modicum.metering.tokens import count_tokens
from modicum.providers.blocks import Block
from modicum.providers.dialect import ReplyFacts

SOURCE = "gateway"
REVISION = 1 << 62
"""The gateway saw the whole call: its record stands above an agent's own log of the same call."""
_NATIVE = ("msg_", "chatcmpl-", "resp_", "gen-")
_NATIVE_CHARACTERS = 24


class Timing:
    __slots__ = ("finished_s", "first_token_s", "started_s")

    def __init__(self, started_s: float) -> None:
        self.started_s = started_s
        self.first_token_s = 0.0
        self.finished_s = 0.0


def call_id(number: str, reply_id: str, seen: "Seen") -> str:
    """The provider's id, so that an agent's log of the same call is known again; else our own number.

    Some servers give out short ids, or the same one twice: such an id names no call.
    """
    if len(reply_id) >= _NATIVE_CHARACTERS and reply_id.startswith(_NATIVE) and seen.first_time(reply_id):
        return reply_id
    return f"{SOURCE}:{number}"


class Seen:
    """The newest reply ids, to notice a repeated one."""

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._ids: dict[str, None] = {}

    def first_time(self, reply_id: str) -> bool:
        if reply_id in self._ids:
            return False
        self._ids[reply_id] = None
        if len(self._ids) > self._most:
            del self._ids[next(iter(self._ids))]
        return True


def usage_of(
    facts: ReplyFacts | None, status: CallStatus, model: str, blocks: Sequence[Block] | None
) -> tuple[Usage, Basis, Basis, int | None]:
    """Usage, how its input and its output are known, and our own count of the output where that is a lower bound.

    Args:
        facts: of the reply, as far as it came; None: there was none.
        blocks: the request's parts, for an estimate; None: they could not be read.
    """
    if facts is not None and facts.usage is not None:
        if facts.usage_final:
            return facts.usage, Basis.EXACT, Basis.EXACT, None
        return _with_estimated_output(facts, facts.usage, model), Basis.EXACT, Basis.ESTIMATED, None
    if status is CallStatus.ERROR or blocks is None:
        return Usage(), Basis.UNKNOWN, Basis.UNKNOWN, None
    prompt = sum(count_tokens(block.text, model) for block in blocks) + 4 * len(blocks)
    made = _with_estimated_output(facts, Usage(input_uncached=prompt), model) if facts else Usage(input_uncached=prompt)
    return made, Basis.ESTIMATED, Basis.ESTIMATED, None


def _with_estimated_output(facts: ReplyFacts, usage: Usage, model: str) -> Usage:
    """The output counted from the text that passed, if that is more than the provider has said so far."""
    counted = count_tokens(facts.output_text, model) if facts.output_text else 0
    if len(facts.output_text) < facts.output_chars:
        counted += (facts.output_chars - len(facts.output_text)) // 4
    return Usage(
        usage.input_uncached,
        usage.cache_read,
        usage.cache_write_5m,
        usage.cache_write_1h,
        max(usage.output_visible, counted - usage.output_reasoning),
        usage.output_reasoning,
    )


def begun_call(number: str, provider: str, model: str, about: Attribution, started_s: float) -> Call:
    """The record of a call of whose end nothing is known."""
    return Call(
        call_id=f"{SOURCE}:{number}",
        source=SOURCE,
        provider=provider,
        model=model,
        started=datetime.fromtimestamp(started_s, UTC),
        status=CallStatus.UNKNOWN,
        usage=Usage(),
        usage_basis=Basis.UNKNOWN,
        output_basis=Basis.UNKNOWN,
        task=about.task,
        conversation=about.conversation,
        agent=about.agent,
        project=about.project,
        owner=about.owner,
        tags=about.tags,
        revision=REVISION,
    )


def finished_call(
    begun: Call,
    facts: ReplyFacts | None,
    status: CallStatus,
    timing: Timing,
    usage: tuple[Usage, Basis, Basis, int | None],
    anatomy: Anatomy | None,
    conversation: str,
    identity: str,
) -> Call:
    """The record of a call that has ended, in whatever way."""
    counted, input_basis, output_basis, _ = usage
    conversation = begun.conversation or conversation
    return Call(
        call_id=identity,
        source=SOURCE,
        provider=begun.provider,
        model=(facts.model if facts and facts.model else begun.model),
        started=begun.started,
        first_token=_at(timing.first_token_s),
        finished=_at(timing.finished_s),
        status=status,
        finish_reason=facts.finish_reason or facts.error_kind if facts else "",
        usage=counted,
        usage_basis=input_basis,
        output_basis=output_basis,
        tier=facts.tier if facts else begun.tier,
        web_searches=facts.web_searches if facts else 0,
        task=begun.task or conversation,
        conversation=conversation,
        agent=begun.agent,
        project=begun.project,
        owner=begun.owner,
        tags=begun.tags,
        revision=REVISION,
        anatomy=anatomy,
    )


def _at(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
