"""What rules for content would have made of tool results, worked out while a file's text passes, booked as shares.

The very rules of the gateway are run (`optimizers/running.py`), on prompts as they were: each alone, those that lose
nothing together, and all together. The ledger holds no text, so only then can it be seen; the audit replays it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from modicum.calls import Call, Problem, Segment, SegmentKind, Shortening
from modicum.calls.change import Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import HeldPrompt
from modicum.calls.rule import Rule
from modicum.context.block_listener import BlockListener
from modicum.metering.tokens import count_tokens
from modicum.optimizers.all_rules import ALL_SET, CONTENT_RULES, LOSSLESS_RULES, LOSSLESS_SET
from modicum.optimizers.running import run_rules

NEEDED = {SegmentKind.TOOL_RESULT, SegmentKind.USER}
"""What the rules read: results, and the question that was open."""
MOST_HELD = 64_000_000
"""Characters of one file."""
_FACTS = Facts(at=datetime(2000, 1, 1, tzinfo=UTC), model="")
"""Nothing is known of prices: rules that break no cache act at any."""


Born = tuple[int, int]
"""Which call of a conversation brought a segment, and its place among those that the call added."""


def rule_sets() -> dict[str, tuple[Rule, ...]]:
    """The sets that are watched, by name."""
    return {**{rule.name: (rule,) for rule in CONTENT_RULES}, LOSSLESS_SET: LOSSLESS_RULES, ALL_SET: CONTENT_RULES}


class RuleWatch(BlockListener):
    """Listens while one file is read, and tells its calls what rules would have made of their tool results."""

    def __init__(self, sets: Mapping[str, Sequence[Rule]] | None = None, *, most_held: int = MOST_HELD) -> None:
        self._sets = rule_sets() if sets is None else sets
        self._most_held = most_held
        self._texts: dict[bytes, str] = {}
        self._held = 0

    def on_block(self, kind: SegmentKind, text: str, digest: bytes) -> None:
        if kind in NEEDED and digest not in self._texts and self._held < self._most_held:
            self._texts[digest] = text
            self._held += len(text)

    def add_shortenings(self, found: Iterable[Call | Problem]) -> Iterator[Call | Problem]:
        """The same calls and problems; results that rules would have shortened say so."""
        items = list(found)
        conversations: dict[str, list[Call]] = {}
        for item in items:
            if isinstance(item, Call) and item.anatomy is not None:
                conversations.setdefault(item.conversation or item.task or item.call_id, []).append(item)
        changed: dict[int, Call] = {}
        for calls in conversations.values():
            texts = self.shortened(calls)
            for number, call in enumerate(calls):
                changed[id(call)] = self._with_shortenings(call, number, texts)
        for item in items:
            yield changed.get(id(item), item)

    def shortened(self, calls: Sequence[Call]) -> dict[str, dict[Born, str]]:
        """The texts that would have been sent instead, by set of rules and segment, for one conversation."""
        changed: dict[str, dict[Born, str]] = {name: {} for name in self._sets}
        tools: dict[str, Segment] = {}
        for context in _fullest_contexts(calls):
            for part, _ in context:
                if part.kind is SegmentKind.TOOL_CALL and part.tool not in tools:
                    tools[part.tool] = Segment(SegmentKind.TOOL_SCHEMA, 0, tool=part.tool)
            # A log has no tool schemas: what was called was there.
            schemas = [(tool, None) for tool in tools.values()]
            prompt = HeldPrompt([*schemas, *((part, self._text(part)) for part, _ in context)])
            for name, rules in self._sets.items():
                for place, text in _run(rules, prompt).items():
                    part, born = context[place - len(tools)]
                    if part.kind is SegmentKind.TOOL_RESULT and text != self._text(part):
                        changed[name].setdefault(born, text)
        return changed

    def _text(self, part: Segment) -> str | None:
        return self._texts.get(part.digest) if part.kind in NEEDED else None

    def _with_shortenings(self, call: Call, number: int, changed: Mapping[str, Mapping[Born, str]]) -> Call:
        anatomy = call.anatomy
        assert anatomy is not None  # noqa: S101 - only such calls come here
        added = tuple(
            self._with_shares(part, {name: texts[born] for name, texts in changed.items() if born in texts})
            for place, part in enumerate(anatomy.added)
            for born in ((number, place),)
        )
        return msgspec.structs.replace(call, anatomy=msgspec.structs.replace(anatomy, added=added))

    def _with_shares(self, part: Segment, after: Mapping[str, str]) -> Segment:
        if not after:
            return part
        before = self._texts[part.digest]
        # Most sets make the same of a text: it is counted once.
        counted = {text: sent_share(before, text) for text in set(after.values())}
        return msgspec.structs.replace(
            part, shortenings=tuple(Shortening(name, counted[text]) for name, text in after.items())
        )


def sent_share(before: str, after: str) -> float:
    """What share of a text's tokens is still sent. Tokenizers differ most in numbers and white space, which is what
    rules take out first: so it is the greater of the shares by tokens, as we count them, and by characters.
    """
    tokens = count_tokens(before, "")
    return min(max(count_tokens(after, "") / tokens if tokens else 1.0, len(after) / len(before)), 1.0)


class _HeldCall:
    """A call of the past, as rules change it: what each changed unit holds at the end, by its place."""

    facts = _FACTS

    def __init__(self, prompt: HeldPrompt, last: Rule) -> None:
        self.prompt, self._last = prompt, last
        self.texts: dict[int, str] = {}

    def apply(self, rule: Rule, change: Change) -> None:
        if rule is self._last:  # nobody reads the prompt any more, and to make it anew takes longer than most rules
            self.prompt.check(change)
        else:
            self.prompt = self.prompt.apply(change)
        self.texts |= change.replaced


def _run(rules: Sequence[Rule], prompt: HeldPrompt) -> Mapping[int, str]:
    call = _HeldCall(prompt, rules[-1])
    run_rules(rules, call)
    return call.texts


def _fullest_contexts(calls: Sequence[Call]) -> Iterator[list[tuple[Segment, Born]]]:
    """The contexts of a conversation just before something was taken out of them, and at the end. What a rule makes of
    a segment depends on what stands before it alone, so these say it of all.
    """
    context: list[tuple[Segment, Born]] = []
    for number, call in enumerate(calls):
        anatomy = call.anatomy
        if anatomy is None:
            continue
        if anatomy.kept_segments < len(context):
            yield context
        added = [(part, (number, place)) for place, part in enumerate(anatomy.added)]
        context = [*context[: anatomy.kept_segments], *added]
    yield context
