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
from modicum.calls.prompt import HeldPrompt, HeldUnit
from modicum.calls.rule import Rule
from modicum.context.block_listener import BlockListener, MeasuredBlock
from modicum.metering.tokens import count_tokens
from modicum.optimizers.all_rules import ALL_SET, CODE_RULES, CONTENT_RULES, LOSSLESS_RULES, LOSSLESS_SET
from modicum.optimizers.code.languages import why_unread
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
    """The sets that are watched, by name: each rule alone (those that read code where packages for it are installed),
    those that lose nothing, and all.
    """
    alone = (*(() if why_unread() else CODE_RULES), *CONTENT_RULES)
    return {**{rule.name: (rule,) for rule in alone}, LOSSLESS_SET: LOSSLESS_RULES, ALL_SET: CONTENT_RULES}


class RuleWatch(BlockListener):
    """Listens while one file is read, and tells its calls what rules would have made of their tool results.

    Args:
        sets: of rules, by name.
        most_held: characters of texts.
        uses_counts: blocks were counted as `count_tokens` does, so that they are not counted again.
    """

    def __init__(
        self,
        sets: Mapping[str, Sequence[Rule]] | None = None,
        *,
        most_held: int = MOST_HELD,
        uses_counts: bool = True,
    ) -> None:
        self._sets = rule_sets() if sets is None else sets
        self._most_held, self._uses_counts = most_held, uses_counts
        self._blocks: dict[bytes, MeasuredBlock] = {}
        self._held = 0

    def on_block(self, block: MeasuredBlock) -> None:
        if block.kind in NEEDED and block.digest not in self._blocks and self._held < self._most_held:
            self._blocks[block.digest] = block
            self._held += len(block.text)

    def add_shortenings(self, found: Iterable[Call | Problem]) -> Iterator[Call | Problem]:
        """The same calls and problems; results that rules would have shortened say so."""
        items = list(found)
        conversations: dict[str, list[Call]] = {}
        for item in items:
            if isinstance(item, Call) and item.anatomy is not None:
                conversations.setdefault(item.conversation or item.task or item.call_id, []).append(item)
        changed: dict[int, Call] = {}
        for calls in conversations.values():
            for (number, place), texts in self.shortened(calls).items():
                call = calls[number]
                changed[id(call)] = self._with_shortenings(changed.get(id(call), call), place, texts)
        for item in items:
            yield changed.get(id(item), item)

    def shortened(self, calls: Sequence[Call]) -> dict[Born, dict[str, str]]:
        """The texts that would have been sent instead, by segment and set of rules, for one conversation."""
        changed: dict[Born, dict[str, str]] = {}
        tools: dict[str, Segment] = {}
        for context in _fullest_contexts(calls):
            for part, _ in context:
                if part.kind is SegmentKind.TOOL_CALL and part.tool not in tools:
                    tools[part.tool] = Segment(SegmentKind.TOOL_SCHEMA, 0, tool=part.tool)
            # A log has no tool schemas: what was called was there.
            read = [*((tool, None) for tool in tools.values()), *(both for both in context if both[0].kind in NEEDED)]
            runs = _Runs(HeldPrompt([HeldUnit(at, part, self._text(part)) for at, (part, _) in enumerate(read)]))
            for name, rules in self._sets.items():
                for at, text in runs.after(tuple(rules)).texts.items():
                    part, born = read[at]
                    if born is not None and part.kind is SegmentKind.TOOL_RESULT and text != self._text(part):
                        changed.setdefault(born, {}).setdefault(name, text)
        return changed

    def _text(self, part: Segment) -> str | None:
        block = self._blocks.get(part.digest) if part.kind in NEEDED else None
        return None if block is None else block.text

    def _with_shortenings(self, call: Call, place: int, after: Mapping[str, str]) -> Call:
        anatomy = call.anatomy
        assert anatomy is not None  # noqa: S101 - only such calls come here
        part = anatomy.added[place]
        before = self._blocks[part.digest]
        tokens = before.tokens if self._uses_counts else count_tokens(before.text, before.model)
        # Most sets make the same of a text: it is counted once.
        counted = {text: sent_share(before.text, text, tokens, before.model) for text in set(after.values())}
        shortenings = tuple(Shortening(name, counted[after[name]]) for name in self._sets if name in after)
        added = list(anatomy.added)
        added[place] = msgspec.structs.replace(part, shortenings=shortenings)
        return msgspec.structs.replace(call, anatomy=msgspec.structs.replace(anatomy, added=tuple(added)))


def sent_share(before: str, after: str, tokens: int, model: str) -> float:
    """What share of a text's tokens is still sent. Tokenizers differ most in numbers and white space, which is what
    rules take out first: so it is the greater of the shares by tokens, as we count them, and by characters.

    Args:
        before: the text.
        after: what rules made of it.
        tokens: of the text before.
        model: by whose encoding they were counted.
    """
    return min(max(count_tokens(after, model) / tokens if tokens else 1.0, len(after) / len(before)), 1.0)


class _HeldCall:
    """A call of the past, as rules change it.

    Args:
        prompt: before a change that may not have been made in it yet.
        texts: what each unit holds that was changed, by its place.
    """

    facts = _FACTS

    def __init__(self, prompt: HeldPrompt, texts: Mapping[int, str]) -> None:
        self._prompt, self.texts = prompt, texts
        self._change: Change | None = None

    @property
    def prompt(self) -> HeldPrompt:
        if self._change is not None:  # only now: behind the last rule nobody reads it
            self._prompt, self._change = self._prompt.apply(self._change), None
        return self._prompt

    def apply(self, rule: Rule, change: Change) -> None:  # noqa: ARG002 - a protocol's
        self.prompt.check(change)
        self._change, self.texts = change, {**self.texts, **change.replaced}


class _Runs:
    """Sets of rules on one prompt. What several sets begin with is run once."""

    def __init__(self, prompt: HeldPrompt) -> None:
        self._after: dict[tuple[Rule, ...], _HeldCall] = {(): _HeldCall(prompt, {})}

    def after(self, rules: tuple[Rule, ...]) -> _HeldCall:
        """The call as these rules, one after the other, leave it."""
        if rules not in self._after:
            before = self.after(rules[:-1])
            call = _HeldCall(before.prompt, before.texts)
            run_rules(rules[-1:], call)
            self._after[rules] = call
        return self._after[rules]


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
