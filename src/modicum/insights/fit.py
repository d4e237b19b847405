"""`modicum fit`: does a codebase fit the context window of a model, and what would it cost to send it along?"""

import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path, PurePosixPath

import msgspec

from modicum.calls import Problem, UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.insights.claude_correction import CountablePart
from modicum.insights.code.codebase import FileList, read_text
from modicum.insights.count import CountBasis, convert_count, count_raw, list_encodings
from modicum.metering.calibration import Calibrations, TokenCount
from modicum.metering.content_kinds import find_content_kind
from modicum.metering.context_windows import context_window_tokens

LARGEST = 20
"""Files that are named one by one."""
AT_ONCE = 64
"""Files read and counted together; progress is told after each such lot."""


class FitVerdict(StrEnum):
    FITS = "fits"
    CLOSE = "close"
    """It fits by our count and may not by the provider's: the difference is within the error."""
    TOO_LARGE = "too_large"
    UNKNOWN = "unknown"
    """Nobody told us the window."""


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """The assumptions under which a conversation is priced."""

    calls: int = 50
    appended_tokens: int = 1500
    """What each call adds to the context: its own reply, the results of tools, the user's next words. 1,553 was the
    mean of 11,354 calls of Claude Code."""
    reply_tokens: int = 500
    """What each call writes; part of what it adds."""


def check_conversation(calls: int, appended_tokens: int, reply_tokens: int) -> Conversation:
    """The assumptions, if they can be.

    Raises:
        UserError: no calls, a negative number, or a reply larger than what it adds.
    """
    if calls < 1 or reply_tokens < 0:
        raise UserError("--calls is at least 1, and --reply not negative")
    if appended_tokens < reply_tokens:
        raise UserError(
            f"each call adds its reply: --appended ({appended_tokens}) is at least --reply ({reply_tokens})"
        )
    return Conversation(calls=calls, appended_tokens=appended_tokens, reply_tokens=reply_tokens)


class ModelFit(msgspec.Struct, frozen=True, kw_only=True):
    """A codebase in one model. Dollars are None where no price is known or the text does not fit."""

    model: str
    tokens: int
    error: float | None
    most_tokens: int
    known_by: str
    context_window: int | None
    verdict: FitVerdict
    one_call_usd: Decimal | None
    """Prompt uncached, and one reply."""
    one_call_cached_usd: Decimal | None
    """Prompt read from the cache, and one reply."""
    conversation_calls: int
    """How many of the calls fit until the window is full."""
    conversation_usd: Decimal | None
    """Those calls without prompt caching."""
    conversation_cached_usd: Decimal | None
    """The same with it: the first call writes the cache, each later one reads all that came before."""
    conversation_without_code_usd: Decimal | None
    """The same with caching and an empty start: what the conversation alone costs."""
    price_source: str | None
    price_version: str | None


class CodePart(msgspec.Struct, frozen=True):
    """A file, a folder or a kind of file."""

    name: str
    files: int
    tokens: int


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    folder: str
    rule: str
    """Which files were taken."""
    files: int
    bytes: int
    left_out: dict[str, int]
    """Files that were not counted, by reason."""
    conversation: Conversation
    counted_in: str
    """The model whose tokens the parts below are given in: the first."""
    models: list[ModelFit]
    by_folder: list[CodePart]
    by_type: list[CodePart]
    largest: list[CodePart]
    problems: list[Problem]
    """Files that could not be read, one by one; binaries and links are only counted."""


@dataclass(frozen=True)
class _CountedFile:
    name: str
    content: str
    size: int
    raw: Counter[tuple[str, str]]


def fit(
    folder: Path,
    found: FileList,
    models: Sequence[str],
    measures: CountBasis,
    *,
    at: datetime,
    conversation: Conversation | None = None,
    progress: Callable[[int], None] | None = None,
) -> Fit:
    """Counts the files that were found below a folder and weighs them against the windows of the models.

    `progress` is told how many files are done.
    """
    conversation = conversation or Conversation()
    files: list[_CountedFile] = []
    problems: list[Problem] = []
    for done, one in enumerate(_count_all(folder, found.files, list_encodings(models)), 1):
        if isinstance(one, _CountedFile):
            files.append(one)
        elif one is not None:
            problems.append(one)
        if progress and done % AT_ONCE == 0:
            progress(done)
    whole: Counter[tuple[str, str]] = Counter()
    for file in files:
        whole.update(file.raw)
    measures = measures.corrected_for(models, [_as_part(folder, file) for file in files])
    return Fit(
        folder=str(folder),
        rule=found.rule,
        files=len(files),
        bytes=sum(file.size for file in files),
        left_out=dict(Counter(problem.reason for problem in problems).most_common()),
        conversation=conversation,
        counted_in=models[0],
        models=[
            fit_model(model, convert_count(whole, model, measures.calibrations), measures, conversation, at)
            for model in models
        ],
        **_divide(files, models[0], measures.calibrations),
        problems=[problem for problem in problems if problem.reason.startswith("cannot")],
    )


def _count_all(folder: Path, names: Sequence[str], encodings: Iterable[str]) -> Iterator[_CountedFile | Problem | None]:
    """Reads and counts by threads: the counter works outside the interpreter's lock. None: a file that is gone."""
    encodings = tuple(encodings)

    def one(name: str) -> _CountedFile | Problem | None:
        path = folder / name
        if not path.is_symlink() and not path.exists():
            return None
        text = read_text(path)
        if isinstance(text, Problem):
            return text
        content = find_content_kind(name)
        return _CountedFile(name, content, len(text.encode()), count_raw(text, content, encodings))

    if names and encodings:
        count_raw("", "", encodings)  # loads them once, before threads would each
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for start in range(0, len(names), AT_ONCE):
            yield from pool.map(one, names[start : start + AT_ONCE])


def _as_part(folder: Path, file: _CountedFile) -> CountablePart:
    def read() -> str:
        text = read_text(folder / file.name)
        return "" if isinstance(text, Problem) else text  # it was there a moment ago

    return CountablePart(file.content, file.size, read)


def fit_model(
    model: str, count: TokenCount, measures: CountBasis, conversation: Conversation, at: datetime
) -> ModelFit:
    window = context_window_tokens(model)
    judged = judge(count, window, conversation.reply_tokens)
    known = measures.prices.rates("", model, at, prompt_tokens=count.tokens)
    priced = known is not None and judged is not FitVerdict.TOO_LARGE
    calls = count_calls_until_full(count.tokens, window, conversation)

    def conversation_usd(start_tokens: int, *, cached: bool) -> Decimal | None:
        if not priced:
            return None
        return sum(
            (cost for _, cost in price_calls(model, start_tokens, calls, conversation, measures, at, cached=cached)),
            Decimal(0),
        )

    def one_call_usd(input_rate: Decimal, output_rate: Decimal) -> Decimal | None:
        return input_rate * count.tokens + output_rate * conversation.reply_tokens if priced else None

    return ModelFit(
        model=model,
        tokens=count.tokens,
        error=count.error,
        most_tokens=count.most_tokens,
        known_by=count.known_by,
        context_window=window,
        verdict=judged,
        one_call_usd=one_call_usd(known.input_uncached, known.output_visible) if known else None,
        one_call_cached_usd=one_call_usd(known.cache_read, known.output_visible) if known else None,
        conversation_calls=calls,
        conversation_usd=conversation_usd(count.tokens, cached=False),
        conversation_cached_usd=conversation_usd(count.tokens, cached=True),
        conversation_without_code_usd=conversation_usd(0, cached=True),
        price_source=known.source if known else None,
        price_version=known.version if known else None,
    )


def judge(count: TokenCount, window: int | None, reply_tokens: int) -> FitVerdict:
    """Whether prompt and reply fit; `close` where the error of the count decides."""
    if window is None:
        return FitVerdict.UNKNOWN
    if count.tokens + reply_tokens > window:
        return FitVerdict.TOO_LARGE
    return FitVerdict.CLOSE if count.most_tokens + reply_tokens > window else FitVerdict.FITS


def count_calls_until_full(start_tokens: int, window: int | None, conversation: Conversation) -> int:
    """How many calls of the conversation fit, the reply of the last included."""
    if window is None:
        return conversation.calls
    room = window - start_tokens - conversation.reply_tokens
    if room < 0:
        return 0
    if conversation.appended_tokens == 0:
        return conversation.calls
    return min(conversation.calls, room // conversation.appended_tokens + 1)


def price_calls(
    model: str,
    start_tokens: int,
    calls: int,
    conversation: Conversation,
    measures: CountBasis,
    at: datetime,
    *,
    cached: bool,
) -> Iterator[tuple[int, Decimal]]:
    """(prompt tokens, dollars) of each call. Cached: all that the call before sent is read, the rest is written for
    the short time to live, so no two calls are further apart than that (Anthropic: 5 minutes).
    """
    before = 0
    for number in range(calls):
        prompt = start_tokens + number * conversation.appended_tokens
        rates = measures.prices.rates("", model, at, prompt_tokens=prompt)
        if rates is None:
            return
        if cached:
            cost = rates.cache_read * before + rates.cache_write_5m * (prompt - before)
        else:
            cost = rates.input_uncached * prompt
        yield prompt, cost + rates.output_visible * conversation.reply_tokens
        before = prompt


def _divide(files: Sequence[_CountedFile], model: str, calibrations: Calibrations) -> dict[str, list[CodePart]]:
    """Tokens by folder (two levels), by type and of single files, the largest first."""
    by_folder: dict[str, list[_CountedFile]] = {}
    by_type: dict[str, list[_CountedFile]] = {}
    for file in files:
        path = PurePosixPath(file.name)
        by_folder.setdefault("/".join(path.parts[:-1][:2]) or ".", []).append(file)
        by_type.setdefault(path.suffix.lower() or path.name, []).append(file)

    def part(name: str, members: Sequence[_CountedFile]) -> CodePart:
        raw: Counter[tuple[str, str]] = Counter()
        for member in members:
            raw.update(member.raw)
        return CodePart(name, len(members), convert_count(raw, model, calibrations).tokens)

    def parts(groups: dict[str, list[_CountedFile]]) -> list[CodePart]:
        return sorted((part(name, members) for name, members in groups.items()), key=lambda p: (-p.tokens, p.name))

    single = sorted((part(file.name, [file]) for file in files), key=lambda p: (-p.tokens, p.name))
    return {"by_folder": parts(by_folder), "by_type": parts(by_type), "largest": single[:LARGEST]}


def describe_fit(report: Fit) -> list[str]:
    """The answer first: what somebody who wonders about a million-token model wants to know."""
    first = report.models[0]
    if not report.files:
        return [f"{report.folder}: no text files ({report.rule})."]
    error = _describe_error(first)
    lines = [
        f"{report.folder}: {report.files:,} text files, {number_of(first.tokens, 'token')} in {first.model} ({error})."
    ]
    lines += [_describe_verdict(model, report) for model in report.models]
    lines += [line for model in report.models if (line := _describe_cost(model, report.conversation))][:1]
    return lines


def _describe_error(model: ModelFit) -> str:
    if model.error == 0:
        return "its own tokenizer"
    most = f"; at most {model.most_tokens:,}" if model.most_tokens > model.tokens else ""
    if model.error is None:
        return f"error not measured for this model{most}"
    return f"error {percent(model.error)}{most}"


def _describe_verdict(model: ModelFit, report: Fit) -> str:
    if model.context_window is None:
        return f"  {model.model}: context window unknown; the prompt would be {number_of(model.tokens, 'token')}."
    share = model.tokens / model.context_window
    window = f"its window of {model.context_window:,}"
    if model.verdict is FitVerdict.TOO_LARGE:
        return f"  {model.model}: does not fit; {share:.1f} times {window}{_describe_excess(model, report)}."
    if model.verdict is FitVerdict.CLOSE:
        return f"  {model.model}: may not fit; {percent(share, 0)} of {window}, and the error of the count decides."
    return f"  {model.model}: fits; {percent(share, 0)} of {window}."


def _describe_excess(model: ModelFit, report: Fit) -> str:
    """Which few of the largest files would have to stay out, if a few are enough."""
    excess = model.tokens + report.conversation.reply_tokens - (model.context_window or 0)
    scale = model.tokens / (report.models[0].tokens or 1)
    for number, part in enumerate(report.largest, 1):
        excess -= math.ceil(part.tokens * scale)
        if excess <= 0:
            what = f"its largest file, {part.name}," if number == 1 else f"its {number} largest files"
            return f"; without {what} it would"
    return ""


def _describe_cost(model: ModelFit, conversation: Conversation) -> str:
    """What it means to send it all, for the first model that can be priced."""
    if model.verdict not in {FitVerdict.FITS, FitVerdict.CLOSE}:
        return ""
    if model.one_call_usd is None or model.conversation_cached_usd is None or model.conversation_usd is None:
        return ""
    alone = model.conversation_without_code_usd or Decimal(0)
    carried = model.conversation_cached_usd - alone
    calls = f"{model.conversation_calls}-call conversation"
    if model.conversation_calls < conversation.calls:
        calls += " (then the window is full)"
    return (
        f"Sending it all to {model.model} costs {_usd(model.one_call_usd)} a call"
        f" ({_usd(model.one_call_cached_usd)} from cache); a {calls} {_usd(model.conversation_cached_usd)} with prompt"
        f" caching and {_usd(model.conversation_usd)} without. {_usd(carried)} of the"
        f" {_usd(model.conversation_cached_usd)} is for carrying the code along."
    )


def _usd(usd: Decimal | None) -> str:
    """Cents, and two digits of what is less than a dime."""
    if usd is None:
        return "an unknown sum"
    places = max(2, 1 - usd.adjusted()) if 0 < usd < Decimal("0.1") else 2
    return f"${usd:,.{places}f}"
