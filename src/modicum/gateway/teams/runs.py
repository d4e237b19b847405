"""What the gateway remembers of a team's run: who was asked in which round, who said what (as digests), and whether
they agree. Bounded, in memory, and forgotten when nobody has called for a while. No text is kept.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from time import monotonic
from types import MappingProxyType

from modicum.agents.guard import Guard
from modicum.agents.turn import digest_saying
from modicum.calls.words.counted_nouns import number_of

MOST_RUNS = 10_000
MOST_SAYINGS = 1_000
FORGOTTEN_AFTER_S = 6 * 3600.0


class Run:
    """One run of a team, as this process sees it."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.agreed = ""
        """Why nobody needs to speak any more; empty while they do."""
        self.callers: set[str] = set()
        """Agents that have called."""
        self.unfinished: set[str] = set()
        """Agents whose last call has not come to a good end: their next one is the same turn."""
        self.silenced: set[str] = set()
        """Agents whose calls the gateway answered."""
        self.used = 0.0
        self._answers: dict[int, dict[str, str | None]] = {}
        self._sayings: dict[bytes, frozenset[str]] = {}

    def stops(self, agent: str, round_number: int) -> bool:
        """Whether an agent need not speak once the team agrees. What lies beyond the plan's rounds it does not know."""
        plan = self.guard.plan
        return agent in plan.agents and agent not in plan.protect and round_number <= plan.rounds

    def record_saying(self, agent: str, text: str) -> None:
        """Remembers by a digest that the agent said this."""
        digest = digest_saying(text)
        if text.strip() and (digest in self._sayings or len(self._sayings) < MOST_SAYINGS):
            self._sayings[digest] = self._sayings.get(digest, frozenset()) | {agent}

    @property
    def authors_by_digest(self) -> Mapping[bytes, frozenset[str]]:
        """Who said what so far, by `digest_saying`."""
        return MappingProxyType(self._sayings)

    def knows_answer(self, agent: str, round_number: int) -> bool:
        return agent in self._answers.get(round_number, {})

    def answered(self, agent: str, round_number: int, answer: str | None) -> None:
        """Takes an answer (or its digest) in, and looks whether the plan says that these are enough."""
        given = self._answers.setdefault(round_number, {})
        given.pop(agent, None)
        given[agent] = answer
        stop = self.guard.plan.early_exit
        if stop is None or self.agreed:
            return
        counted = [one for name, one in given.items() if not stop.first or name in stop.first]
        if self.guard.agreed(counted, round_number):
            self.agreed = f"{stop.agree} of the first {number_of(stop.of, 'answer')} of round {round_number} agree"


class Runs:
    """Runs by who calls, team and name; the longest unused are forgotten."""

    def __init__(self, *, most: int = MOST_RUNS, clock: Callable[[], float] = monotonic) -> None:
        self._most, self._clock = most, clock
        self._runs: OrderedDict[tuple[str, str, str], Run] = OrderedDict()

    def of(self, scope: str, team: str, name: str, make: Callable[[], Run]) -> Run:
        """The run of that name; `make` makes one that is not known."""
        now, key = self._clock(), (scope, team, name)
        run = self._runs.pop(key, None)
        if run is None or now - run.used > FORGOTTEN_AFTER_S:
            run = make()
        run.used = now
        self._runs[key] = run
        oldest = next(iter(self._runs.values()))
        while len(self._runs) > self._most or now - oldest.used > FORGOTTEN_AFTER_S:
            self._runs.popitem(last=False)
            oldest = next(iter(self._runs.values()))
        return run

    def find(self, scope: str, team: str, name: str) -> Run | None:
        """The run of that name, if it is remembered."""
        run = self._runs.get((scope, team, name))
        return None if run is None or self._clock() - run.used > FORGOTTEN_AFTER_S else run

    def __len__(self) -> int:
        return len(self._runs)
