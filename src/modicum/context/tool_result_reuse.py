"""How much of each long tool result later turns referred to: worked out while a file's text passes, booked as a share.

The ledger holds no text, so the finding `unread_results` replays what is counted here. The texts of one file are held
until its calls are known, up to `MOST_HELD` characters; then they are gone.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from modicum.calls import Call, Problem, Reuse, Segment, SegmentKind
from modicum.context.block_listener import BlockListener, MeasuredBlock
from modicum.metering.quotes import Speech

READ = {SegmentKind.TOOL_RESULT, SegmentKind.DOCUMENT}
SPOKEN_KINDS = {
    SegmentKind.ASSISTANT,
    SegmentKind.REASONING,
    SegmentKind.TOOL_CALL,
    SegmentKind.USER,
    SegmentKind.SUMMARY,
    SegmentKind.SYSTEM,
}
FEWEST_TOKENS = 200
"""Shorter results are not looked at: there is little to trim."""
FEWEST_CHARACTERS = FEWEST_TOKENS
"""No text has more tokens than that by far; only such are held."""
FEWEST_LATER_CALLS = 5
"""Of results nearer to the end nobody can say that they were not read: their use may lie behind the end of the log."""
FEWEST_LATER_CALLS_OF_A_PIECE = 50
"""As above, where a file is too large to be held and is looked at in pieces."""
MOST_HELD = 64_000_000
"""Characters of one file."""
MOST_CALLS = 20_000
SHELLS = re.compile(r"bash|shell|exec|terminal|command|run", re.IGNORECASE)
"""Tools whose results are not the content of the files that their calls name."""


class ReuseWatch(BlockListener):
    """Listens while one file is read, and tells its calls how much of their tool results was read."""

    def __init__(self, *, most_held: int = MOST_HELD) -> None:
        self._most_held = most_held
        self._texts: dict[bytes, str] = {}
        self._held = 0
        self._replies: dict[str, list[Segment]] = {}

    def on_block(self, block: MeasuredBlock) -> None:
        is_needed = block.kind in SPOKEN_KINDS or (block.kind in READ and len(block.text) >= FEWEST_CHARACTERS)
        if is_needed and block.digest not in self._texts:
            self._texts[block.digest] = block.text
            self._held += len(block.text)

    def on_reply(self, call_id: str, segments: Iterable[Segment]) -> None:
        self._replies.setdefault(call_id, []).extend(part for part in segments if part.kind in SPOKEN_KINDS)

    def add_reuse(self, found: Iterable[Call | Problem]) -> Iterator[Call | Problem]:
        """The same calls and problems; results that could be judged have their `Reuse`."""
        waiting: list[Call | Problem] = []
        for item in found:
            waiting.append(item)
            if self._held > self._most_held or len(waiting) > MOST_CALLS:
                yield from self._judged(waiting, FEWEST_LATER_CALLS_OF_A_PIECE)
                waiting.clear()
                self._texts.clear()
                self._replies.clear()
                self._held = 0
        yield from self._judged(waiting, FEWEST_LATER_CALLS)

    def _judged(self, waiting: Sequence[Call | Problem], fewest_later: int) -> Iterator[Call | Problem]:
        conversations: dict[str, list[Call]] = {}
        for item in waiting:
            if isinstance(item, Call) and item.anatomy is not None:
                conversations.setdefault(item.conversation or item.task or item.call_id, []).append(item)
        found: dict[int, Call] = {}
        for calls in conversations.values():
            shares = self._shares(calls, fewest_later)
            if shares:
                found.update((id(call), _with_reuse(call, shares)) for call in calls)
        for item in waiting:
            yield found.get(id(item), item)

    def _shares(self, calls: Sequence[Call], fewest_later: int) -> dict[bytes, Reuse]:
        """By digest, of the results of one conversation that can be judged. The same text counts from where it came
        first: what was read once need not be read again.
        """
        last_words = self._replies.get(calls[-1].call_id)
        if len(calls) <= fewest_later or not last_words:
            return {}
        results: dict[bytes, _Result] = {}
        for number, call in enumerate(calls):
            for part in call.anatomy.added if call.anatomy else ():
                if _is_judged(part) and part.digest not in results and part.digest in self._texts:
                    results[part.digest] = _Result(number, part.detail, part.tool)
        if not any(len(calls) - 1 - result.call >= fewest_later for result in results.values()):
            return {}
        speech = self._speech(calls, last_words, results)
        return {
            digest: Reuse(speech.read_share(self._texts[digest], result.place, self._arguments_text(result)), later)
            for digest, result in results.items()
            if (later := len(calls) - 1 - result.call) >= fewest_later
        }

    def _speech(self, calls: Sequence[Call], last_words: Sequence[Segment], results: "dict[bytes, _Result]") -> Speech:
        """All that was said, each text once, and for every result its place among it."""
        speech, digests, place = Speech(), set[bytes](), 0
        for call in calls:
            for part in call.anatomy.added if call.anatomy else ():
                place += 1
                if part.digest in digests:
                    continue
                digests.add(part.digest)
                if part.digest in results:
                    results[part.digest].place = place
                elif part.kind in SPOKEN_KINDS and (text := self._texts.get(part.digest)):
                    speech.say(text, place, is_call=part.kind is SegmentKind.TOOL_CALL)
        for part in last_words:
            if part.digest not in digests and (text := self._texts.get(part.digest)):
                speech.say(text, place + 1, is_call=part.kind is SegmentKind.TOOL_CALL)
        return speech

    def _arguments_text(self, result: "_Result") -> str:
        return "" if SHELLS.search(result.tool) else self._texts.get(result.detail, "")


class _Result(msgspec.Struct):
    call: int
    """Number of the call that brought it."""
    detail: bytes
    tool: str
    place: int = 0


def _is_judged(part: Segment) -> bool:
    return part.kind in READ and part.tokens >= FEWEST_TOKENS and not part.is_error and bool(part.digest)


def _with_reuse(call: Call, shares: dict[bytes, Reuse]) -> Call:
    anatomy = call.anatomy
    if anatomy is None or not any(part.digest in shares for part in anatomy.added):
        return call
    added = tuple(
        msgspec.structs.replace(part, reuse=shares[part.digest]) if part.digest in shares and _is_judged(part) else part
        for part in anatomy.added
    )
    return msgspec.structs.replace(call, anatomy=msgspec.structs.replace(anatomy, added=added))
