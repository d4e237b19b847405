"""A model server with a GPU, simulated: continuous batching, chunked prefill, an energy counter that ticks.

The truth is known here, so that what is read back from the counters can be held against it. Nothing of `modicum`
is used to make the readings but their types.
"""

import math
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
    drafted: int = 0
    """Tokens that are drafted for each sequence in a decoding step; 0: no speculative decoding."""
    acceptance: tuple[float, float] = (0.6, 0.0)
    """Chance that a drafted token is accepted, and by how much it swings over minutes."""
    per_draft: float = 0.0
    expert_share: float | None = None
    """Experts that a token takes over all; None: dense."""
    per_expert_step: float = 0.0
    """What a step costs more when all experts are touched."""
    clock_fall: float = 0.0
    """Part by which the energy of work falls at full load, since clocks do (and so voltage)."""
    drift: float = 0.0
    """Part by which everything is dearer at the end than at the beginning."""
    slow_noise: float = 0.0
    """Standard deviation of all power that stays for `slow_noise_s`, relative."""
    slow_noise_s: float = 30.0


TERMS = ("per_step", "per_prompt", "per_generated", "per_draft", "per_expert_step")


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
    drafted_tokens: int = 0
    first_tokens: int = 0
    length: float = 1800.0
    """Seconds of the whole recording, which a drift is spread over."""
    slow: float = 0.0
    spent: dict[str, list[float]] = field(default_factory=lambda: {name: [0.0, 0.0] for name in ("idle", *TERMS)})
    """Of each term: how often, and joules without noise. Their ratio is what the term was on average."""
    most_active: int = 64
    most_tokens: int = 2048

    def _spend(self, seconds: float, joules: float) -> None:
        """Lets time pass at constant power; the shown counter moves at its ticks only."""
        truth, drift = self.truth, 1 + self.truth.drift * (self.at / self.length - 0.5)
        self.spent["idle"][0] += seconds
        self.spent["idle"][1] += truth.idle_watts * drift * seconds
        idle = truth.idle_watts * drift * self.rng.gauss(1, truth.noise)
        watts = idle + (joules / seconds if seconds else 0.0)
        if truth.slow_noise:
            fade = math.exp(-seconds / truth.slow_noise_s)
            self.slow = fade * self.slow + truth.slow_noise * math.sqrt(1 - fade**2) * self.rng.gauss(0, 1)
            watts *= 1 + self.slow
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
                    self.first_tokens += 1
        context = sum(request.prompt + request.done_output for request in decoding)
        produced = drafted = 0
        for request in decoding:
            accepted = self._accept()
            drafted += self.truth.drafted
            fresh = min(1 + accepted, request.output - request.done_output)
            request.done_output += fresh
            produced += fresh
        self.active = [request for request in self.active if request.done_output < request.output]
        joules = self._price(prefilled, produced, drafted, len(decoding))
        # Part of a generated token, as the law has no term for it.
        reading = self.truth.per_context_token * context
        self.spent["per_generated"][1] += reading
        joules += reading
        seconds = 0.008 + 0.00006 * prefilled + 0.00004 * len(decoding)
        self._spend(seconds, joules * max(0.0, self.rng.gauss(1, self.truth.noise)))
        self.steps += 1
        self.generated_tokens += produced
        self.drafted_tokens += drafted

    def _accept(self) -> int:
        """Drafted tokens that are taken, up to the first that is not."""
        base, swing = self.truth.acceptance
        chance = base + swing * math.sin(self.at / 97)
        accepted = 0
        while accepted < self.truth.drafted and self.rng.random() < chance:
            accepted += 1
        return accepted

    def _price(self, prefilled: int, produced: int, drafted: int, decoding: int) -> float:
        """Joules of a step without noise, noted by term."""
        truth = self.truth
        tokens = prefilled + drafted + decoding
        touched = 1 - (1 - truth.expert_share) ** tokens if truth.expert_share else 0.0
        factor = 1 + truth.drift * (self.at / self.length - 0.5)
        factor *= 1 - truth.clock_fall * min(1.0, len(self.active) / self.most_active)
        counts = (1, prefilled, produced, drafted, touched)
        joules = 0.0
        for name, count in zip(TERMS, counts, strict=True):
            cost = getattr(truth, name) * count * factor
            self.spent[name][0] += count
            self.spent[name][1] += cost
            joules += cost
        return joules

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
    counts_drafts=True,
    averages: dict[str, float] | None = None,
) -> list[Sample]:
    """Samples about once a second. `averages` is filled with what each term really was on average.

    `rate` is requests per second over time; `closed` keeps that many running instead,
    each of the same size: constant load."""
    rng = random.Random(seed)  # noqa: S311 - a simulation
    engine = Engine(truth, rng, length=seconds)
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
            samples.append(sample_of(engine, counts_drafts=counts_drafts))
            next_sample = engine.at + rng.uniform(0.9, 1.1)
    while engine.at < samples[-1].at + 2 * truth.tick_s:
        engine.rest(truth.tick_s)
    if averages is not None:
        averages.update({name: joules / count for name, (count, joules) in engine.spent.items() if count})
    return [with_energy(sample, engine.ticks, edges=edges) for sample in samples]


def with_energy(sample: Sample, ticks: list[tuple[float, float]], *, edges: bool) -> Sample:
    """Adds what the driver showed: on the edges of its counter before and after the scrape, or only at the scrape."""
    after = bisect_right(ticks, (sample.at, float("inf")))
    read = [ticks[after - 1], ticks[after]] if edges else [(sample.at, ticks[after - 1][1])]
    return msgspec.structs.replace(
        sample, gpus=tuple(GpuReading("GPU-0", at, energy_joules=joules, power_watts=200.0) for at, joules in read)
    )


def sample_of(engine: Engine, *, counts_drafts: bool = True) -> Sample:
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
                drafted_tokens=float(engine.drafted_tokens) if engine.truth.drafted and counts_drafts else None,
                first_tokens=float(engine.first_tokens),
                steps=float(engine.steps),
                running=float(len(engine.active)),
                waiting=float(len(engine.queue)),
                started=1_699_999_000.0,
            ),
        ),
    )


def bursts(at: float) -> float:
    """Requests per second that rise and fall, with pauses."""
    if int(at / 60) % 5 == 4:
        return 0.0
    return max(0.5, 16 + 13 * math.sin(at / 17) + 7 * math.sin(at / 71))
