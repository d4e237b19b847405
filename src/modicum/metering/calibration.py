"""What our token count is worth where a model has no public tokenizer.

Claude and Gemini tell how many tokens a prompt had. Between two calls of one conversation the prompt grows by what was
appended, and that text can be counted by us: each such step is a pair (our count, the provider's). A calibration is
the line through many pairs: `provider = ratio * ours + frame`. The frame is what the provider puts around each step: a
fixed part (roles), so much for a tool call and so much for each of its parameters. A plain text has none of these, so
it has `ratio * ours` tokens.

Logs leave things out (hidden reminders make a step larger than its text), so the line is the one with the least sum of
absolute relative errors: a minority of odd pairs cannot move it. Its error is measured on pairs that it has not seen.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from pathlib import Path

import msgspec

from modicum.calls import Basis, UserError
from modicum.calls.outside.regular_file import read_regular
from modicum.metering.claude_tokens import NEW_TOKENIZER_RELEASE, OLDEST_RELEASE, CounterCheck, find_release
from modicum.metering.tokens import bare_name, encoding_for

KINDS = ("", "code", "prose", "output", "search")
"""Kinds of content: any, files of code, prose, what commands print, what searches find."""
FILE_NAME = "calibrations.json"
SHIPPED = Path(__file__).with_name(FILE_NAME)


class CalibrationPair(msgspec.Struct, frozen=True, gc=False):
    """One step of a conversation."""

    raw_tokens: int
    """Our count of all that was appended, with the encoding that `encoding_for` names for the model."""
    prompt_growth_tokens: int
    """By how much the provider's count of the prompt grew from one call to the next."""
    group: str = ""
    """The conversation or session: pairs of one group are never both fitted and tested."""
    content: str = ""
    """What most of it was: a kind of content as in `Calibration`, or empty."""
    tool_calls: int = 0
    parameters: int = 0
    """Of the tool calls together: each is put into a frame of its own."""


class Calibration(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What one of our tokens is in a family of models, for one kind of content."""

    family: str
    """Models that share a tokenizer, as `family_of` names them."""
    content: str = ""
    """One of `KINDS`."""
    ratio: float
    """The provider's tokens for one of ours."""
    wrap_tokens: float = 0.0
    """What the provider adds around each step of a conversation; no part of a text's count."""
    tool_call_tokens: float = 0.0
    """What it adds besides for a tool call and its result."""
    parameter_tokens: float = 0.0
    """And for each parameter of the call."""
    error: float
    """Median over held-out pairs of |predicted / actual - 1|: what to expect of one short text."""
    error_whole: float | None = None
    """The same of long texts: for 9 in 10 held-out groups (sessions) the median of actual / predicted is within this
    of 1. None with fewer than 10 groups of 10 pairs."""
    pairs: int
    groups: int
    models: tuple[str, ...] = ()
    """The models that the pairs are from."""
    method: str
    """How the error was got, in words."""
    counted_by: str = ""
    """What stood for the provider, where no usage record did: `ctok 1.3.0`. Then the error is against that."""

    @property
    def margin(self) -> float:
        """The larger error: what to keep free."""
        return max(self.error, self.error_whole or 0.0)

    def predict_growth(self, pair: CalibrationPair) -> float:
        """The provider's tokens for a step, its frame included."""
        frame = self.wrap_tokens + self.tool_call_tokens * pair.tool_calls + self.parameter_tokens * pair.parameters
        return self.ratio * pair.raw_tokens + frame


class TokenCount(msgspec.Struct, frozen=True, gc=False):
    """A count with what it is worth."""

    tokens: int
    basis: Basis
    """ESTIMATED: the provider did not count it. Nothing here is ever EXACT, a public tokenizer included."""
    error: float | None
    """As in `Calibration`; 0 for a public tokenizer; None: it has not been measured for this model."""
    most_tokens: int
    """The count with its margin on top: the larger of both errors, or what the vendor says of a newer tokenizer."""
    known_by: str
    """In words: whose tokenizer, or which calibration."""


class Family(msgspec.Struct, frozen=True):
    name: str
    stands_in: str = ""
    """The family whose ratio is used where this one has no calibration; its error then is unknown."""
    most_ratio: float = 1.0
    """How many times as many tokens as `stands_in` the vendor says this family may take."""


CLAUDE_NEW = Family("claude-4.7", "claude", 1.35)
"""Opus 4.7 came with a new tokenizer: 1 to 1.35 times as many tokens, depending on the content
(https://platform.claude.com/docs/en/about-claude/models/migration-guide)."""


@lru_cache(maxsize=256)
def find_family(model: str) -> Family:
    """The models that are counted alike: Claude before 4.7, Claude since, Gemini, otherwise the name's first word."""
    name = bare_name(model)
    release = find_release(name)
    if release:
        if release < OLDEST_RELEASE:
            return Family("claude-2")
        return Family("claude") if release < NEW_TOKENIZER_RELEASE else CLAUDE_NEW
    word = re.match(r"[a-z]+", name)
    return Family(word[0] if word else name)


class Calibrations:
    """The calibrations at hand: the user's own stand above the shipped ones.

    Args:
        own: from the user's records (`load`).
        shipped: None: those that come with the package.
    """

    def __init__(self, own: Iterable[Calibration] = (), shipped: Iterable[Calibration] | None = None) -> None:
        self._found: dict[tuple[str, str], tuple[Calibration, bool]] = {
            (one.family, one.content): (one, False) for one in (load(SHIPPED) if shipped is None else shipped)
        }
        for one in own:
            # One's own line for any content stands above a shipped one for some kind.
            if not one.content:
                self._found = {key: kept for key, kept in self._found.items() if key[0] != one.family}
        self._found |= {(one.family, one.content): (one, True) for one in own}

    def overlaid(self, closer: Iterable[Calibration]) -> "Calibrations":
        """These, with lines above them that were made for the very text that is counted."""
        found = Calibrations(shipped=())
        found._found = self._found | {(one.family, one.content): (one, True) for one in closer}
        return found

    def find(self, family: str, content: str = "") -> tuple[Calibration, bool] | None:
        """The calibration for that kind of content, else for any, and whether it is the user's own."""
        return self._found.get((family, content)) or self._found.get((family, ""))

    def convert(self, raw_tokens: int, model: str, content: str = "") -> TokenCount:
        """What `raw_tokens` of our count are in a model, and how sure that is."""
        encoding, is_own = encoding_for(model)
        if is_own:
            known_by = f"the model's public tokenizer ({encoding})"
            return TokenCount(raw_tokens, Basis.ESTIMATED, 0.0, raw_tokens, known_by)
        family = find_family(model)
        known = self.find(family.name, content)
        if known:
            calibration, mine = known
            tokens = round(raw_tokens * calibration.ratio)
            most = round(raw_tokens * calibration.ratio * (1 + calibration.margin))
            known_by = f"{encoding} times {calibration.ratio:.3f}, {_describe_origin(calibration, mine=mine)}"
            return TokenCount(tokens, Basis.ESTIMATED, calibration.error, most, known_by)
        stand_in = self.find(family.stands_in, content) if family.stands_in else None
        ratio = stand_in[0].ratio if stand_in else 1.0
        tokens = round(raw_tokens * ratio)
        why = f"{encoding} times {ratio:.3f}, the ratio of {family.stands_in}" if stand_in else f"plain {encoding}"
        most = round(tokens * family.most_ratio)
        return TokenCount(tokens, Basis.ESTIMATED, None, most, f"{why}; not measured for {family.name}")


@cache
def shipped_calibrations() -> Calibrations:
    """The lines that come with the program: for what is counted while it passes, and for logged outputs."""
    return Calibrations()


def _describe_origin(calibration: Calibration, *, mine: bool) -> str:
    if not calibration.counted_by:
        return f"calibrated on {calibration.pairs:,} pairs ({'your own records' if mine else 'shipped'})"
    if mine:
        return f"corrected by {calibration.counted_by} on this text, with the error that your own records show"
    return f"fitted to {calibration.counted_by}, which rebuilds this tokenizer ({calibration.pairs:,} texts; shipped)"


def measure_error(calibration: Calibration, pairs: Sequence[CalibrationPair]) -> float | None:
    """The median error of a calibration on pairs of its kind that it was not made from; None where there are none."""
    errors = sorted(
        abs(calibration.predict_growth(pair) / pair.prompt_growth_tokens - 1)
        for pair in pairs
        if pair.prompt_growth_tokens > 0 and calibration.content in {"", pair.content}
    )
    return errors[len(errors) // 2] if errors else None


class CalibrationFile(msgspec.Struct, frozen=True):
    """All that is stored: the lines, and what an exact counter was found to be worth."""

    calibrations: list[Calibration] = []
    checks: list[CounterCheck] = []
    made_by: str = ""


def load_file(path: Path) -> CalibrationFile:
    """What is in a file; nothing where there is no file.

    Raises:
        UserError: the file is damaged.
    """
    try:
        return msgspec.json.decode(read_regular(path), type=CalibrationFile)
    except FileNotFoundError:
        return CalibrationFile()
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        raise UserError(f"{path} cannot be read as calibrations ({error}); delete it and calibrate again") from None


def load(path: Path) -> list[Calibration]:
    """The calibrations in a file; see `load_file`."""
    return load_file(path).calibrations


def save(
    calibrations: Iterable[Calibration], path: Path, made_by: str = "modicum", checks: Iterable[CounterCheck] = ()
) -> None:
    """Writes the file anew, whole or not at all."""
    whole = CalibrationFile(list(calibrations), list(checks), made_by)
    document = msgspec.json.format(msgspec.json.encode(whole), indent=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(document + b"\n")
    fresh.replace(path)
