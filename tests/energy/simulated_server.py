"""A model server with a GPU, simulated: continuous batching, chunked prefill, an energy counter that ticks.

The truth is known here, so that what is read back from the counters can be held against it. Nothing of `modicum`
is used to make the readings but their types.
"""

import random
from bisect import bisect_right
from dataclasses import dataclass, field

import msgspec

from modicum.energy.samples import GpuReading, Sample, ServerReading


@dataclass(frozen=True)
class Truth:
    idle_watts: float = 75.0
    per_step: float = 2.6
    per_prompt: float = 0.020
    per_generated: float = 0.055
    per_context_token: float = 0.0
    """Joules for each token of context that a decoding step reads; not in the model that is fitted."""
    noise: float = 0.02
    """Standard deviation of a step's energy and of idle power, relative."""
    tick_s: float = 0.1
    """How often the driver refreshes its counter."""


@dataclass
class Request:
    prompt: int
    output: int
    arrived: float
    cached: int = 0
    done_prompt: int = 0
    done_output: int = 0


@dataclass
class Engine:
    truth: Truth
    rng: random.Random
    at: float = 0.0
    joules: float = 0.0
    ticks: list[tuple[float, float]] = field(default_factory=lambda: [(0.0, 0.0)])
    """Moments at which the driver refreshed its counter, and what it then showed."""
    steps: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    generated_tokens: int = 0
    active: list[Request] = field(default_factory=list)
    queue: list[Request] = field(default_factory=list)
    most_active: int = 64
    most_tokens: int = 2048

    def _spend(self, seconds: float, joules: float) -> None:
        """Lets time pass at constant power; the shown counter moves at its ticks only."""
        watts = self.truth.idle_watts * self.rng.gauss(1, self.truth.noise) + (joules / seconds if seconds else 0.0)
        end = self.at + seconds
        while self.ticks[-1][0] + self.truth.tick_s <= end:
            moment = self.ticks[-1][0] + self.truth.tick_s
            self.ticks.append((moment, self.joules + watts * (moment - self.at)))
        self.joules += watts * seconds
        self.at = end

    def step(self) -> None:
        while self.queue and len(self.active) < self.most_active:
            request = self.queue.pop(0)
            request.done_prompt = request.cached
            self.cached_tokens += request.cached
            self.active.append(request)
        decoding = [request for request in self.active if request.done_prompt >= request.prompt]
        room = self.most_tokens - len(decoding)
        prefilled = 0
        for request in self.active:
            if request.done_prompt < request.prompt and room > 0:
                chunk = min(room, request.prompt - request.done_prompt)
                request.done_prompt += chunk
                room -= chunk
                prefilled += chunk
                if request.done_prompt >= request.prompt:
                    # As vLLM does: a prompt is counted as a whole when its first token comes.
                    self.prompt_tokens += request.prompt
        context = sum(request.prompt + request.done_output for request in decoding)
        for request in decoding:
            request.done_output += 1
        self.active = [request for request in self.active if request.done_output < request.output]
        truth = self.truth
        joules = (
            truth.per_step
            + truth.per_prompt * prefilled
            + truth.per_generated * len(decoding)
            + truth.per_context_token * context
        ) * max(0.0, self.rng.gauss(1, truth.noise))
        seconds = 0.008 + 0.00006 * prefilled + 0.00004 * len(decoding)
        self._spend(seconds, joules)
        self.steps += 1
        self.generated_tokens += len(decoding)

    def rest(self, seconds: float) -> None:
        self._spend(seconds, 0.0)


def simulate(
    truth: Truth,
    seconds: float,
    seed: int,
    *,
    rate=lambda _: 4.0,
    closed: int | None = None,
    cached_share=0.0,
    edges=True,
) -> list[Sample]:
    """Samples about once a second. `rate` is requests per second over time; `closed` keeps that many running instead,
    each of the same size: constant load."""
    rng = random.Random(seed)  # noqa: S311 - a simulation
    engine = Engine(truth, rng)
    samples, next_sample, next_arrival = [], 0.0, 0.0
    while engine.at < seconds:
        if closed is not None:
            while len(engine.active) + len(engine.queue) < closed:
                engine.queue.append(Request(256, 128, engine.at))
        else:
            while next_arrival <= engine.at:
                now = rate(next_arrival)
                if now <= 0:
                    next_arrival += 0.5
                    continue
                prompt = int(rng.lognormvariate(6, 0.8)) + 8
                output = int(rng.lognormvariate(4.5, 0.7)) + 2
                engine.queue.append(
                    Request(prompt, output, engine.at, cached=int(prompt * cached_share * rng.random()))
                )
                next_arrival += rng.expovariate(now)
        if engine.active or engine.queue:
            engine.step()
        else:
            engine.rest(min(0.05, max(0.001, next_arrival - engine.at)))
        if engine.at >= next_sample:
            samples.append(sample_of(engine))
            next_sample = engine.at + rng.uniform(0.9, 1.1)
    while engine.at < samples[-1].at + 2 * truth.tick_s:
        engine.rest(truth.tick_s)
    return [with_energy(sample, engine.ticks, edges=edges) for sample in samples]


def with_energy(sample: Sample, ticks: list[tuple[float, float]], *, edges: bool) -> Sample:
    """Adds what the driver showed: on the edges of its counter before and after the scrape, or only at the scrape."""
    after = bisect_right(ticks, (sample.at, float("inf")))
    read = [ticks[after - 1], ticks[after]] if edges else [(sample.at, ticks[after - 1][1])]
    return msgspec.structs.replace(
        sample, gpus=tuple(GpuReading("GPU-0", at, energy_joules=joules, power_watts=200.0) for at, joules in read)
    )


def sample_of(engine: Engine) -> Sample:
    at = engine.at
    return Sample(
        at=at,
        wall=1_700_000_000 + at,
        servers=(
            ServerReading(
                "http://127.0.0.1:8000",
                "vllm",
                at,
                prompt_tokens=float(engine.prompt_tokens),
                cached_tokens=float(engine.cached_tokens),
                generated_tokens=float(engine.generated_tokens),
                steps=float(engine.steps),
                running=float(len(engine.active)),
                waiting=float(len(engine.queue)),
                started=1_699_999_000.0,
            ),
        ),
    )


def bursts(at: float) -> float:
    """Requests per second that rise and fall, with pauses."""
    import math

    if int(at / 60) % 5 == 4:
        return 0.0
    return max(0.5, 16 + 13 * math.sin(at / 17) + 7 * math.sin(at / 71))
