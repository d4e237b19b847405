"""Claude Code without a terminal: what `claude -p --output-format json` and `stream-json` print (and its SDKs write).

Traps, each with a fixture:

- A stream's message has the counts of its beginning, output 1 to 3; only `--include-partial-messages` brings the final
  ones (`message_delta`). The result at the end has the true sum of a run, by model (`modelUsage`).
- So calls are the stream's messages, by their own ids. What the result holds beyond them (their missing output, calls
  of subagents and of the small model that no stream shows) is a record of its own; the only message without a final
  count gets the missing output itself.
- A result alone is one record a model: it does not say how many calls it sums up (`num_turns` counts neither those of
  subagents nor of the small model), so it counts as one.
- In one process results add up: a later one holds the earlier ones.
- `usage` is of the main model's last turn, `usage.iterations` of the last call.
- The session's transcript holds the same messages under the same ids: `modicum.calls.session_reports` says what is left
  of the result then.
- Older versions write no times: the time of the file stands for them, and is reported.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import Basis, Call, CallStatus, ChargedUnit, Charges, Problem, Tier, Usage
from modicum.calls.session_reports import REST, RUN, without_brackets
from modicum.calls.words.counted_nouns import number_of
from modicum.importers.claude_code.usage import NO_MODEL, provider_of, revision
from modicum.importers.files import records
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.recorded.aggregates import aggregated_count
from modicum.importers.recorded.exchanges import file_time
from modicum.providers.anthropic_messages import usage as anthropic
from modicum.providers.fields import checked_dollars, mapping, moment, text
from modicum.providers.usage_guard import KnownFields, unknown_numbers

NAME = "claude-headless"
Row = Mapping[str, Any]
PROVIDERS = {"firstparty": "anthropic", "bedrock": "aws", "vertex": "google", "foundry": "azure"}
KNOWN_SUM: KnownFields = {
    **dict.fromkeys(("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens"), "priced"),
    "webSearchRequests": "priced",
    "thinkingTokens": "part of outputTokens",
    "costUSD": "Claude Code's own figure, not a count",
    "contextWindow": "a property of the model",
    "maxOutputTokens": "a property of the model",
}
"""What is done with every number of a model's sum."""
COUNTS = ("inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens", "outputTokens")


class StreamMessage(msgspec.Struct):
    """A call as a stream has it."""

    counts: dict[str, Any]
    model: str
    agent: str
    started: datetime | None
    finished: datetime | None
    is_final: bool = False
    finish_reason: str = ""
    caveats: tuple[str, ...] = ()
    """What is not understood of any of its records, also of those that do not stand."""

    def usage(self) -> Usage:
        return anthropic.usage_from(self.counts)

    def add_counts(self, counts: Row) -> None:
        """Later counts are cumulative; what they leave out stands."""
        self.counts |= {name: count for name, count in counts.items() if count is not None}


class ModelSum(msgspec.Struct):
    """What a result says of one model."""

    usage: Usage | None
    charges: Charges
    tier: Tier
    reported: Any
    provider: str


class Session:
    """One session, as far as a file tells of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cwd = self.model = ""
        self.messages: dict[str, StreamMessage] = {}
        self.open: dict[str, str] = {}
        """The message under way, by the agent that gets it."""
        self.results: list[Row] = []
        self.last: datetime | None = None


def read(path: Path, reading: Reading) -> Found:
    del reading
    sessions: dict[str, Session] = {}
    for found in records(path):
        if isinstance(found, Problem):
            yield found
            continue
        number, row = found
        try:
            _add(sessions, row)
        except (ValueError, RecursionError) as error:  # these name fields, never content
            yield Problem(str(path), f"not counted: {error}", number)
    timeless = 0
    for session in sessions.values():
        try:
            calls = list(_calls(session, path))
        except ValueError as error:
            yield Problem(str(path), f"not counted: {error}")
            continue
        timeless += sum(session.last is None for _ in calls)
        yield from calls
    if timeless:
        yield Problem(
            str(path),
            f"{number_of(timeless, 'call has', 'calls have')} no time; the time of the file stands in its place",
        )
    elif not sessions:
        yield Problem(str(path), "none of its records is a call to a model")


def _add(sessions: dict[str, Session], row: Row) -> None:
    name, kind = text(row.get("session_id")), text(row.get("type"))
    if kind not in {"system", "assistant", "stream_event", "result"}:
        return
    session = sessions.setdefault(name, Session(name))
    at = moment(row.get("timestamp"))
    session.last = at or session.last
    if kind == "system":
        session.cwd = text(row.get("cwd")) or session.cwd
        session.model = text(row.get("model")) or session.model
    elif kind == "result":
        session.results.append(row)
    elif kind == "assistant":
        _add_message(session, mapping(row.get("message")), text(row.get("parent_tool_use_id")), at)
    else:
        _add_event(session, mapping(row.get("event")), text(row.get("parent_tool_use_id")), at)


def _add_message(session: Session, message: Row, agent: str, at: datetime | None) -> None:
    counts, name, model = mapping(message.get("usage")), text(message.get("id")), text(message.get("model"))
    if model == NO_MODEL or not counts:
        return
    if not name or not model:
        raise ValueError("a message with usage, but without id or model")
    usage = anthropic.usage_from(counts)  # what is no usage is said here
    known = session.messages.setdefault(name, StreamMessage(dict(counts), model, agent, at, at))
    if not known.is_final and usage.total_tokens > known.usage().total_tokens:
        known.counts = dict(counts)
    known.caveats += anthropic.charges_from(counts, model).caveats
    known.finish_reason = text(message.get("stop_reason")) or known.finish_reason
    known.finished = at or known.finished


def _add_event(session: Session, event: Row, agent: str, at: datetime | None) -> None:
    """An event of the API's own stream, which only `--include-partial-messages` shows."""
    kind = event.get("type")
    if kind == "message_start":
        message = mapping(event.get("message"))
        session.open[agent] = text(message.get("id"))
        _add_message(session, message, agent, at)
    elif kind == "message_delta" and (known := session.messages.get(session.open.get(agent, ""))):
        counts = mapping(event.get("usage"))
        anthropic.usage_from(counts)
        known.add_counts(counts)
        known.caveats += anthropic.charges_from(counts, known.model).caveats
        reason = text(mapping(event.get("delta")).get("stop_reason"))
        known.finish_reason = reason or known.finish_reason
        known.is_final = known.is_final or (bool(reason) and counts.get("output_tokens") is not None)
        known.finished = at or known.finished


def _calls(session: Session, path: Path) -> Iterator[Call]:
    """The messages of a session, and what its results hold beyond them."""
    at = session.last or file_time(path)
    sums = [(name, part) for process in _processes(session.results) for name, part in _sums(session, process)]
    of_rests = _rests(session, sums)
    begun: dict[str, str] = {}
    for name, message in session.messages.items():
        yield _message_call(session, name, message, at, begun.setdefault(message.agent, name))
    for (name, part), rest in zip(sums, of_rests, strict=True):
        if rest is not None:
            yield _sum_call(session, name, part, rest, at)


def _message_call(session: Session, name: str, message: StreamMessage, at: datetime, begun: str) -> Call:
    usage = message.usage()
    basis, output_basis = anthropic.bases_of(message.counts)
    return Call(
        call_id=name,
        source=NAME,
        provider=provider_of(name, message.model),
        model=message.model,
        started=message.started or at,
        finished=message.finished,
        finish_reason=message.finish_reason,
        usage=usage,
        usage_basis=basis,
        output_basis=output_basis if message.is_final else output_basis | Basis.LOWER_BOUND,
        tier=anthropic.tier_from(message.counts),
        charges=anthropic.charges_from(message.counts, message.model).with_caveats(*message.caveats),
        task=session.name,
        conversation=f"{session.name}/{message.agent}#{begun}",
        agent=message.agent,
        project=session.cwd,
        revision=revision(usage, is_main=not message.agent, is_own_row=message.is_final),
    )


def _processes(results: list[Row]) -> Iterator[list[Row]]:
    """Results of one process each: a later one of it holds the sums of the earlier ones and its own turn."""
    group: list[Row] = []
    before = 0
    for result in results:
        whole = sum(_whole(mapping(part)) for part in mapping(result.get("modelUsage")).values())
        own = mapping(result.get("usage"))
        turn = anthropic.usage_from({**own, "iterations": None}).total_tokens
        if group and (not whole or whole < before + turn):
            yield group
            group = []
        group.append(result)
        before = whole
    if group:
        yield group


def _whole(part: Row) -> int:
    return sum(aggregated_count(name, part.get(name)) for name in COUNTS)


def _sums(session: Session, process: list[Row]) -> Iterator[tuple[str, "_Sum"]]:
    """What a process used by model, from its last result; its first one names it."""
    name = text(process[0].get("uuid")) or f"{session.results.index(process[0])}"
    result = process[-1]
    models = {model: mapping(part) for model, part in mapping(result.get("modelUsage")).items()}
    if not models:
        made = {message.model for message in session.messages.values() if not message.agent}
        model = session.model or (made.pop() if len(made) == 1 else "")
        models = {model: {"costUSD": result.get("total_cost_usd")}}
    for model, part in models.items():
        found = _sum(result, part, is_only=len(models) == 1)
        if found is not None:
            yield f"{name}:{without_brackets(model)}", _Sum(without_brackets(model), result, found)


class _Sum(msgspec.Struct):
    model: str
    result: Row
    part: ModelSum


def _sum(result: Row, part: Row, *, is_only: bool) -> ModelSum | None:
    """The sum of a model; None where nothing was used.

    Raises:
        ValueError: a count or an amount is none.
    """
    own = {**mapping(result.get("usage")), "iterations": None}
    reported = checked_dollars(part.get("costUSD"))
    main = anthropic.usage_from(own)
    has_counts = part.get("inputTokens") is not None and part.get("outputTokens") is not None
    about_main = anthropic.charges_from(own)
    if not has_counts and is_only and own.get("input_tokens") is not None and own.get("output_tokens") is not None:
        if not main.total_tokens and not reported:
            return None
        return ModelSum(main, about_main, anthropic.tier_from(own), reported, "")
    if not has_counts:
        return ModelSum(None, Charges(), Tier.STANDARD, reported, "") if reported else None
    prompt, read_, written, output = (aggregated_count(name, part.get(name)) for name in COUNTS)
    thinking = min(aggregated_count("thinkingTokens", part.get("thinkingTokens")), output)
    is_main = is_only or (prompt, written) == (main.input_uncached, main.cache_write_tokens)
    hour, caveats = _hour_writes(written, main)
    searches = aggregated_count("webSearchRequests", part.get("webSearchRequests"))
    usage = Usage(prompt, read_, written - hour, hour, output - thinking, thinking)
    if not usage.total_tokens and not reported:
        return None
    charges = Charges.of(
        region=about_main.region,
        caveats=[*caveats, *about_main.caveats, *unknown_numbers(part, KNOWN_SUM, "modelUsage")],
        requests={ChargedUnit.WEB_SEARCH: searches},
    )
    tier = anthropic.tier_from(own) if is_main else Tier.STANDARD
    return ModelSum(usage, charges, tier, reported, PROVIDERS.get(text(part.get("provider")).lower(), ""))


def _hour_writes(written: int, main: Usage) -> tuple[int, list[str]]:
    """How many of a model's cache writes were for an hour: only those of `usage` are told apart."""
    short, hour = main.cache_write_tokens - main.cache_write_1h, main.cache_write_1h
    if written == short + hour or not hour:
        return min(hour, written), []
    if not short:
        return written, []
    return hour * written // (short + hour), ["modelUsage.cacheCreationInputTokens, for which time to live"]


def _rests(session: Session, sums: list[tuple[str, _Sum]]) -> list[Usage | None]:
    """What of each sum is in no message: all of it (None if nothing is) where no message is of its model.

    The only message without a final count gets the output that is missing.
    """
    rests: list[Usage | None] = []
    settled_models = set()
    for _, found in sums:
        usage = found.part.usage
        messages = [message for message in session.messages.values() if message.model == found.model]
        if usage is None or not messages or found.model in settled_models:
            rests.append(None if messages else usage or Usage())
            continue
        settled_models.add(found.model)
        all_of_model = [part.part.usage or Usage() for _, part in sums if part.model == found.model]
        rest = _rest(sum(all_of_model, Usage()), [message.usage() for message in messages])
        early = [message for message in messages if not message.is_final]
        if rest is not None and len(early) == 1 and not rest.prompt_tokens and not early[0].agent:
            rest = _finish(early[0], rest)
        rests.append(rest if rest is not None and rest.total_tokens else None)
    return rests


def _rest(whole: Usage, parts: list[Usage]) -> Usage | None:
    """What is left of a sum; None where the parts are no part of it: an earlier process made some of them."""
    made = sum(parts, Usage())
    uncached, read_ = whole.input_uncached - made.input_uncached, whole.cache_read - made.cache_read
    written, output = (
        whole.cache_write_tokens - made.cache_write_tokens,
        whole.completion_tokens - made.completion_tokens,
    )
    if min(uncached, read_, written, output) < 0:
        return None
    reasoning = min(max(whole.output_reasoning - made.output_reasoning, 0), output)
    hour = min(max(whole.cache_write_1h - made.cache_write_1h, 0), written)
    return Usage(uncached, read_, written - hour, hour, output - reasoning, reasoning)


def _finish(message: StreamMessage, rest: Usage) -> Usage:
    """Gives a message the output that is missing from its run."""
    thinking = message.usage().output_reasoning + rest.output_reasoning
    message.add_counts({"output_tokens": message.usage().completion_tokens + rest.completion_tokens})
    if thinking:
        message.add_counts({"output_tokens_details": {"thinking_tokens": thinking}})
    message.is_final = True
    return Usage()


def _sum_call(session: Session, name: str, found: _Sum, rest: Usage, at: datetime) -> Call:
    part, result = found.part, found.result
    is_whole = rest == (part.usage or Usage())
    basis = Basis.counted(part.usage is not None)
    took = result.get("duration_ms")
    took_ms = took if isinstance(took, int) and 0 <= took < 86_400_000 and session.last else 0
    return Call(
        call_id=f"{NAME}:{session.name}:{name}{'' if is_whole else '+rest'}",
        source=NAME,
        provider=part.provider or provider_of("", found.model),
        model=found.model,
        started=at - timedelta(milliseconds=took_ms),
        finished=at if session.last else None,
        status=CallStatus.OK,
        usage=rest,
        usage_basis=basis,
        # Without counts there is Claude Code's own figure, by its own table of prices.
        output_basis=(basis if is_whole else Basis.LOWER_BOUND) if part.usage is not None else Basis.ESTIMATED,
        tier=part.tier,
        charges=part.charges if is_whole else Charges.of(region=part.charges.region, caveats=part.charges.caveats),
        reported_cost_usd=part.reported if is_whole else None,
        task=session.name,
        project=session.cwd,
        place=RUN if is_whole else REST,
        revision=rest.total_tokens,
    )


_KIND = re.compile(rb'"type"\s*:\s*"(result|assistant|stream_event|system)"')


def recognises(path: Path, head: bytes) -> bool:
    """Rows with a `session_id`, of the kinds that Claude Code prints; of a result its sums, of a message its parent."""
    del path
    if b'"session_id"' not in head or head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in {b"{", b"["}:
        return False
    kinds = set(_KIND.findall(head))
    is_result = b'"total_cost_usd"' in head or b'"modelUsage"' in head or b'"num_turns"' in head
    is_stream = b'"parent_tool_use_id"' in head or (b'"subtype"' in head and b'"init"' in head)
    return (is_result and (b"result" in kinds or b'"duration_api_ms"' in head)) or (is_stream and bool(kinds))


FORMAT = LogFormat(
    name=NAME,
    title="Claude Code headless runs (JSON and stream-JSON)",
    recognises=recognises,
    read=read,
    checked_against="real exports",
)
