"""Corrects the fitted lines of Claude for the very texts that are counted, by an exact counter that the user's own
records confirm (`metering/claude_tokens.py`).

The exact counter is a thousand times slower than the line. So up to 2 MB are counted whole, and of more a sample that
is spread evenly: for each kind of content it says how many tokens one of ours is, and its spread says how sure that is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import msgspec

from modicum.calls.words.counted_nouns import number_of
from modicum.metering.calibration import Calibration, find_family
from modicum.metering.claude_tokens import (
    LONG_TOKENS,
    PIECE_CHARS,
    CounterCheck,
    counter_name,
    cut_pieces,
    find_generation,
)
from modicum.metering.tokens import bare_name

MOST_CHARS = 2_000_000
"""What is counted exactly at once: 10 to 25 seconds for each tokenizer."""
FEWEST_PARTS = 5
"""Of one kind of content, for a ratio of its own out of a sample."""
GOLDEN = 0.6180339887498949

Count = Callable[[str], int]


@dataclass(frozen=True)
class CountablePart:
    """A text, or a part of one, that can be read again."""

    content: str
    """Its kind, as in `Calibration`."""
    chars: int
    read: Callable[[], str]


class _Counts(msgspec.Struct):
    """Of one part: our count and the exact one."""

    ours: int
    exact: int


def parts_of(text: str, content: str) -> Iterator[CountablePart]:
    for piece in cut_pieces(text):
        yield CountablePart(content, len(piece), lambda piece=piece: piece)  # type: ignore[misc]


def confirmed_checks(
    models: Iterable[str], checks: Iterable[CounterCheck], installed: str | None = None
) -> dict[str, CounterCheck]:
    """Tokenizers of the exact counter that may be used for these models, each with the check that confirms it.

    Args:
        models: as their makers or sellers name them.
        checks: from the user's records.
        installed: the counter that is there; None: look.
    """
    installed = installed or counter_name()
    confirmed = {one.family: one for one in checks if one.confirmed and one.counter == installed}
    found: dict[str, CounterCheck] = {}
    for model in models:
        generation, family = find_generation(bare_name(model)), find_family(model).name
        if generation and family in confirmed and confirmed[family] not in found.values():
            found[generation] = confirmed[family]
    return found


def unchecked_models(models: Iterable[str], checks: Iterable[CounterCheck]) -> list[str]:
    """Those that an installed counter could count, had it been held against records of the user's."""
    if counter_name() is None:
        return []
    checked = {one.family for one in checks if one.counter == counter_name()}
    return [one for one in models if find_generation(bare_name(one)) and find_family(one).name not in checked]


def correct(
    parts: Sequence[CountablePart],
    chosen: Mapping[str, CounterCheck],
    ours: Count,
    exact: Callable[[str, str], int],
    most_chars: int = MOST_CHARS,
) -> list[Calibration]:
    """A line for each tokenizer and kind of content that gives these parts the exact count, or nearly.

    Args:
        parts: all that is to be counted.
        chosen: from `confirmed_checks`.
        ours: the count that the line multiplies.
        exact: (text, tokenizer) -> tokens.
        most_chars: more than this is sampled.
    """
    if not chosen or not parts:
        return []
    whole = sum(part.chars for part in parts) <= most_chars
    counts: dict[str, dict[str, list[_Counts]]] = {generation: defaultdict(list) for generation in chosen}
    for content, text in _sample(parts, most_chars, whole=whole):
        our_tokens = ours(text)
        for generation, by_kind in counts.items():
            if our_tokens:
                by_kind[content].append(_Counts(our_tokens, exact(text, generation)))
    return [
        line
        for generation, check in chosen.items()
        for line in _lines(counts[generation], check, generation, whole=whole)
    ]


def _sample(parts: Sequence[CountablePart], most_chars: int, *, whole: bool) -> Iterator[tuple[str, str]]:
    """All parts, or parts from everywhere until the limit: each step goes on by the golden section of the whole."""
    order = range(len(parts)) if whole else sorted(range(len(parts)), key=lambda at: (at * GOLDEN) % 1)
    left = most_chars
    for at in order:
        text = parts[at].read()
        if not whole and len(text) > PIECE_CHARS:
            pieces = list(cut_pieces(text))
            text = pieces[int(len(pieces) * ((at * GOLDEN) % 1))]
        yield parts[at].content, text
        left -= len(text)
        if left <= 0 and not whole:
            return


def _lines(
    by_kind: Mapping[str, list[_Counts]], check: CounterCheck, generation: str, *, whole: bool
) -> Iterator[Calibration]:
    everything = [one for counts in by_kind.values() for one in counts]
    if not everything:
        return
    total = sum(one.exact for one in everything)
    kinds = {kind: counts for kind, counts in by_kind.items() if whole or len(counts) >= FEWEST_PARTS}
    for kind, counts in ({"": everything} | kinds).items():
        ratio, spread = _measure_ratio(counts, whole=whole)
        long = check.error_long if total >= LONG_TOKENS and check.error_long is not None else check.error
        yield Calibration(
            family=check.family,
            content=kind,
            ratio=ratio,
            error=long + spread * 0.6745,
            error_whole=(check.error_whole or check.error) + spread * 2,
            pairs=len(counts),
            groups=check.groups,
            models=check.models,
            method=f"{check.counter} (tokenizer {generation}) on {'all' if whole else f'{len(counts)} parts'} of the"
            f" text; its error on {number_of(check.steps, 'step')} of your records",
            counted_by=check.counter if whole else f"{check.counter} (on {number_of(len(everything), 'part')} of it)",
        )


def _measure_ratio(counts: Sequence[_Counts], *, whole: bool) -> tuple[float, float]:
    """The ratio of the sums, and its relative standard error: none where everything was counted."""
    ours, exact = sum(one.ours for one in counts), sum(one.exact for one in counts)
    ratio = exact / ours
    if whole or len(counts) < 2 or not exact:
        return ratio, 0.0
    misses = sum((one.exact - ratio * one.ours) ** 2 for one in counts)
    return ratio, sqrt(misses * len(counts) / (len(counts) - 1)) / exact
