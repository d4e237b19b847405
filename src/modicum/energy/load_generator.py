"""Closed-loop load on an OpenAI-compatible server: so many streams at once, each asking again as soon as it is done.

Prompts are random words, never twice the same, so that no prefix cache answers for the model. Nothing of a reply is
kept but when its pieces came and what its usage record says.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from modicum.calls.errors import UserError
from modicum.outbound.client import Outbound
from modicum.outbound.unreachable import Unreachable

SYLLABLES = "ba co di fu ga he jo ki lu ma ne po qui ra so tu va we xi yo za ple tro sni dra"
MOST_REASONS = 20
MOST_FAILURES = 10
"""Failed requests in a row after which a point is given up."""


class LoadPlan(msgspec.Struct, frozen=True):
    server: str
    """Base address, without /v1."""
    model: str
    prompt_tokens: int
    output_tokens: int
    seconds: float
    """Length of the steady window."""
    chat: bool = False
    """Use /v1/chat/completions instead of /v1/completions."""
    headers: Mapping[str, str] = {}


class LoadStream(msgspec.Struct):
    """One request, as its client saw it."""

    started: float
    pieces: list[float]
    """When each piece with text came."""
    finished: float | None = None
    """None: cut off at the end of the run."""
    prompt_tokens: int | None = None
    generated_tokens: int | None = None

    @property
    def first_token(self) -> float | None:
        return self.pieces[0] if self.pieces else None


class LoadRun(msgspec.Struct):
    """A run at one concurrency. Between `steady_from` and `steady_to` all streams were busy."""

    concurrency: int
    streams: list[LoadStream]
    steady_from: float
    steady_to: float
    failures: int
    client_load: float
    """Part of one processor core that this program used in the steady window. Near 1 the client was the limit."""
    failure_reasons: dict[str, int] = {}
    """Why requests failed, each with how often."""
    resent: int = 0
    """Requests on connections that the server had closed after its last reply: sent again at once, and no failures."""


def make_random_prompt(words: int, rng: random.Random) -> str:
    syllables = SYLLABLES.split()
    return " ".join(rng.choice(syllables) + rng.choice(syllables) for _ in range(words))


async def measure_words_per_token(client: Outbound, plan: LoadPlan, rng: random.Random) -> float:
    """How many random words make a token of this model, asked of the server with one request.

    Raises:
        UserError: the server sends no usage record.
        Unreachable: it does not answer.
    """
    words = 200
    stream = LoadStream(time.monotonic(), [])
    single = msgspec.structs.replace(plan, output_tokens=1)
    async for _ in _time_pieces(client, single, make_random_prompt(words, rng), stream, needs_usage=False):
        pass
    if not stream.prompt_tokens:
        raise UserError(f"{plan.server}: its stream ends without a usage record, so tokens cannot be counted")
    return words / stream.prompt_tokens


async def run_load(client: Outbound, plan: LoadPlan, concurrency: int, words: int, seed: int) -> LoadRun:
    """Keeps `concurrency` streams busy for `plan.seconds` after the last of them had its first token.

    Raises:
        UserError: too many requests in a row failed, or no stream ever produced a token.
    """
    state = _LoadState(concurrency)
    workers = [
        asyncio.create_task(_run_worker(client, plan, words, random.Random(seed * 1000 + number), state))  # noqa: S311 - text
        for number in range(concurrency)
    ]
    try:
        steady_from = await _all_started(state, workers)
        busy_before = time.process_time()
        stop = asyncio.create_task(asyncio.sleep(plan.seconds))
        await asyncio.wait([stop, *workers], return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        steady_to = time.monotonic()
        client_load = (time.process_time() - busy_before) / max(1e-9, steady_to - steady_from)
    finally:
        for worker in workers:
            worker.cancel()
        ends = await asyncio.gather(*workers, return_exceptions=True)
    for end in ends:
        if isinstance(end, UserError):
            raise end
        if isinstance(end, Exception):
            raise end
    return LoadRun(
        concurrency,
        state.streams,
        steady_from,
        steady_to,
        sum(state.reasons.values()),
        client_load,
        dict(state.reasons),
        state.resent,
    )


class _LoadState:
    def __init__(self, concurrency: int) -> None:
        self.concurrency = concurrency
        self.streams: list[LoadStream] = []
        self.reasons: Counter[str] = Counter()
        self.resent = 0
        self.in_a_row = 0
        self.waiting_for = concurrency
        self.all_started = asyncio.Event()

    def first_token(self) -> None:
        self.waiting_for -= 1
        if self.waiting_for == 0:
            self.all_started.set()

    def add_failure(self, reason: str) -> None:
        """Counts it under its reason; many different ones are counted together."""
        known = reason in self.reasons or len(self.reasons) < MOST_REASONS
        self.reasons[reason if known else "other reasons"] += 1
        self.in_a_row += 1


async def _all_started(state: _LoadState, workers: list["asyncio.Task[None]"]) -> float:
    started = asyncio.create_task(state.all_started.wait())
    await asyncio.wait([started, *workers], return_when=asyncio.FIRST_COMPLETED)
    started.cancel()
    return time.monotonic()


async def _run_worker(client: Outbound, plan: LoadPlan, words: int, rng: random.Random, state: _LoadState) -> None:
    fresh, resent = True, 0
    while True:
        stream = LoadStream(time.monotonic(), [])
        state.streams.append(stream)
        try:
            async for moment in _time_pieces(client, plan, make_random_prompt(words, rng), stream):
                stream.pieces.append(moment)
                if fresh:
                    fresh = False
                    state.first_token()
            stream.finished = time.monotonic()
            state.in_a_row = resent = 0
        except Unreachable as error:
            state.streams.remove(stream)
            # Some servers (llama.cpp) close a connection after a reply, when the next request is already on its way. As
            # many may lie closed in the pool as there are streams.
            if resent <= state.concurrency and error.status is None and not stream.pieces:
                resent += 1
                state.resent += 1
                continue
            resent = 0
            state.add_failure(str(error))
            if state.in_a_row >= MOST_FAILURES:
                raise UserError(f"{MOST_FAILURES} requests in a row failed, the last with: {error}") from None
            await asyncio.sleep(0.2)


async def _time_pieces(
    client: Outbound, plan: LoadPlan, prompt: str, stream: LoadStream, *, needs_usage: bool = True
) -> AsyncIterator[float]:
    """When each piece of text came. Fills in the stream's usage when it passes by."""
    request: dict[str, Any] = {
        "model": plan.model,
        "max_tokens": plan.output_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
        # Not of OpenAI's API, but known to vLLM, SGLang and llama.cpp: go on to the full length.
        "ignore_eos": True,
        "temperature": 1.0,
    }
    if plan.chat:
        path, request["messages"] = "/v1/chat/completions", [{"role": "user", "content": prompt}]
    else:
        path, request["prompt"] = "/v1/completions", prompt
    async for line in client.post_lines(plan.server.rstrip("/") + path, request, plan.headers):
        if not line.startswith(b"data:"):
            continue
        now = time.monotonic()
        content = line[5:].strip()
        if content == b"[DONE]":
            continue
        try:
            event = msgspec.json.decode(content)
        except msgspec.DecodeError:
            raise Unreachable(f"{plan.server}: sent an event that is not JSON") from None
        usage = event.get("usage")
        if usage:
            stream.prompt_tokens = usage.get("prompt_tokens")
            stream.generated_tokens = usage.get("completion_tokens")
        if any(_has_text(choice) for choice in event.get("choices") or ()):
            yield now
    if needs_usage and stream.generated_tokens is None:
        raise Unreachable(f"{plan.server}: its stream ended without a usage record")


def _has_text(choice: dict[str, Any]) -> bool:
    delta = choice.get("delta") or {}
    return bool(choice.get("text") or delta.get("content") or delta.get("reasoning_content") or delta.get("reasoning"))
