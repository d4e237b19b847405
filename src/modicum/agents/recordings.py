"""What a team's runs left behind, from whatever door: the ledger, a framework adapter, or a JSONL file.

One line is one `Row`. A row with an agent is a turn: one agent spoke in one round. A row without is the result of a
run. `docs/teams.md` documents the fields. `recorded_team` is the one place where rows become runs: whoever has rows
calls it, so a ledger question with these columns needs no other code.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from modicum.agents.answers import answer_or_none
from modicum.agents.graph import TeamGraph
from modicum.calls import Problem, UserError
from modicum.calls.outside.one_line import CONTROL
from modicum.calls.usage import checked_count
from modicum.calls.words.counted_nouns import number_of


class ReadMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message that was part of a turn's prompt."""

    agent: str
    round: int
    tokens: int | None = None
    """Prompt tokens that it took; None where nobody counted them."""


class RecordedRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a recording. Fields that are absent are unknown, not 0."""

    run: str
    team: str = ""
    task: str = ""
    """What the run was for; runs of one task are compared with each other. The run itself unless said."""
    agent: str = ""
    round: int = 1
    step: int | None = None
    """Order within the run; the order of the rows unless said."""
    model: str = ""
    prompt_digest: str = ""
    """Digest of the agent's own instructions, so that a plan can be bound to them."""
    calls_count: int = 1
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    answer: str | None = None
    """The agent's answer (or, in a result row, the team's), short, or a digest of it."""
    score: float | None = None
    """How good this answer was on its own, 0..1, where somebody graded it."""
    reads: tuple[ReadMessage, ...] | None = None
    outcome: float | None = None
    """How good the team's answer was, 0..1."""
    gold: str | None = None
    """The right answer, or a digest made like those of the answers."""
    group: str = ""
    """What tasks of one kind share (a subject, a customer); halves and intervals keep groups together."""


@dataclass(frozen=True)
class AgentTurn:
    """One agent spoke once."""

    agent: str
    round: int
    step: int
    answer: str | None
    """Normalised; None where it abstained or was not recorded."""
    score: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    calls_count: int = 1
    model: str = ""
    prompt_digest: str = ""
    reads: tuple[ReadMessage, ...] | None = None

    @property
    def tokens(self) -> int | None:
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True)
class RecordedRun:
    """One run: its turns in the order in which they were taken, and what came out."""

    run: str
    task: str
    turns: tuple[AgentTurn, ...]
    answer: str | None = None
    outcome: float | None = None
    gold: str | None = None
    group: str = ""

    def own_score(self, turn: AgentTurn) -> float | None:
        """How good the turn's answer was: its own grade, or what gold answer or outcome say of it; None if neither."""
        return turn.score if turn.score is not None else self.worth(turn.answer)

    @property
    def team_score(self) -> float | None:
        """What the team reached: the outcome, or what the gold answer says of its answer; None if nobody knows."""
        if self.answer is None and self.outcome is not None:
            return self.outcome
        return self.worth(self.answer)

    def worth(self, answer: str | None) -> float | None:
        """The score that the team would get for this answer; None where the record cannot tell.

        With a gold answer: 0 or 1. With only an outcome: the outcome for the answer that was given, and 0 for any other
        one if the outcome was 1 (a task has one right answer). Of two wrong answers nobody knows whether another was
        right, and where the team's answer was not recorded, nobody knows anything of any.
        """
        if self.gold is not None:
            return float(answer == self.gold)
        if self.outcome is None or self.answer is None:
            return None
        if answer is None:
            return 0.0
        if answer == self.answer:
            return self.outcome
        return 0.0 if self.outcome >= 1 else None

    def last_answers(self) -> dict[str, str | None]:
        """Each agent's last answer, in the order of its last turn."""
        last: dict[str, str | None] = {}
        for turn in self.turns:
            last.pop(turn.agent, None)
            last[turn.agent] = turn.answer
        return last


@dataclass(frozen=True)
class RecordedTeam:
    """A team and its recorded runs."""

    name: str
    graph: TeamGraph
    runs: tuple[RecordedRun, ...]
    models: dict[str, str] = field(default_factory=dict)
    """Model of each agent, where the record names it."""
    prompts: dict[str, str] = field(default_factory=dict)
    """Digest of each agent's instructions, where the record has it."""

    @property
    def graded(self) -> tuple[RecordedRun, ...]:
        """Runs whose outcome or gold answer is known."""
        return tuple(run for run in self.runs if run.team_score is not None)

    def part(self, runs: Iterable[RecordedRun]) -> "RecordedTeam":
        return replace(self, runs=tuple(runs))


def read_rows(lines: Iterable[str | bytes], path: str) -> tuple[list[tuple[int, RecordedRow]], list[Problem]]:
    """Rows of a JSONL recording with their line numbers, and the lines that are none."""
    rows: list[tuple[int, RecordedRow]] = []
    problems: list[Problem] = []
    decoder = msgspec.json.Decoder(RecordedRow)
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            rows.append((number, decoder.decode(line)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            problems.append(Problem(path, f"not a row of a team recording: {error}", number))
    return rows, problems


def build_team(
    rows: Sequence[tuple[int, RecordedRow]],
    *,
    path: str,
    team: str | None = None,
    graph: TeamGraph | None = None,
) -> tuple[RecordedTeam, list[Problem]]:
    """Runs from rows, wherever they came from.

    Args:
        rows: (line or position, row).
        path: what to name in problems.
        team: which team to take; needed only where rows of several are mixed.
        graph: the team's graph; made from the rows (everybody may read everybody) unless given.

    Raises:
        UserError: there are no turns, or several teams and none was named.
    """
    names = sorted({row.team for _, row in rows})
    if team is None and len(names) > 1:
        raise UserError(
            f"{path} holds {number_of(len(names), 'team')} ({', '.join(names)}): choose one with --team NAME"
        )
    chosen = names[0] if team is None and names else team or ""
    mine = [(line, row) for line, row in rows if row.team == chosen]
    problems: list[Problem] = []
    turns: dict[str, list[AgentTurn]] = {}
    results: dict[str, RecordedRow] = {}
    tasks: dict[str, tuple[str, str]] = {}
    for line, row in mine:
        fault = _find_fault(row, graph)
        if fault:
            problems.append(Problem(path, fault, line))
            continue
        known = tasks.get(row.run, ("", ""))
        tasks[row.run] = (row.task or known[0], row.group or known[1])
        if row.agent:
            _add_turn(turns.setdefault(row.run, []), row, Problem(path, "", line), problems)
        if row.outcome is not None or row.gold is not None or not row.agent:
            _add_result(results, row, Problem(path, "", line), problems)
    if not turns:
        whose = f" of team '{chosen}'" if chosen else ""
        listed = ", ".join(repr(name) if name else "one without a name" for name in names)
        known_teams = f"; its teams are {listed}" if names and chosen not in names else ""
        known_teams += (
            f"; {number_of(len(problems), 'row was', 'rows were')} left out, the first: {problems[0]}"
            if problems
            else ""
        )
        raise UserError(f"{path} holds no turns{whose}: a turn is a row with an agent{known_teams}")
    runs = tuple(_build_run(name, spoken, results.get(name), tasks[name]) for name, spoken in turns.items())
    return _build_team(chosen, runs, graph), problems


def _find_fault(row: RecordedRow, graph: TeamGraph | None) -> str:
    """Why the row is no use, or nothing."""
    try:
        for name in ("prompt_tokens", "completion_tokens", "calls_count"):
            checked_count(name, getattr(row, name))
    except ValueError as error:
        return str(error)
    for name in ("team", "agent"):
        if CONTROL.search(getattr(row, name)):
            return f"{name} {getattr(row, name)!r} has a control character in its name"
    if row.round < 1:
        return f"round is {row.round}: rounds count from 1"
    for name in ("score", "outcome"):
        value = getattr(row, name)
        if value is not None and not 0 <= value <= 1:
            return f"{name} is {value}, not a share in 0..1"
    if graph is not None and row.agent and row.agent not in graph.agents:
        return f"agent '{row.agent}' is not in the team"
    return ""


def _add_turn(spoken: list[AgentTurn], row: RecordedRow, place: Problem, problems: list[Problem]) -> None:
    step = len(spoken) if row.step is None else row.step
    if any(turn.step == step and turn.agent == row.agent and turn.round == row.round for turn in spoken):
        problems.append(Problem(place.path, f"step {step} of run '{row.run}' is recorded twice", place.line))
        return
    spoken.append(
        AgentTurn(
            agent=row.agent,
            round=row.round,
            step=step,
            answer=answer_or_none(row.answer),
            score=row.score,
            prompt_tokens=row.prompt_tokens,
            completion_tokens=row.completion_tokens,
            calls_count=row.calls_count,
            model=row.model,
            prompt_digest=row.prompt_digest,
            reads=row.reads,
        )
    )


def _add_result(results: dict[str, RecordedRow], row: RecordedRow, place: Problem, problems: list[Problem]) -> None:
    """Outcome and gold may stand in the result row or be repeated in every turn; they must not contradict."""
    known = results.get(row.run)
    answer = None if row.agent else row.answer
    if known is None:
        results[row.run] = msgspec.structs.replace(row, answer=answer)
        return
    for name in ("outcome", "gold"):
        old, new = getattr(known, name), getattr(row, name)
        if old is not None and new is not None and old != new:
            problems.append(
                Problem(place.path, f"run '{row.run}' has two values of {name}; the first one stands", place.line)
            )
    results[row.run] = msgspec.structs.replace(
        known,
        answer=known.answer if known.answer is not None else answer,
        outcome=known.outcome if known.outcome is not None else row.outcome,
        gold=known.gold if known.gold is not None else row.gold,
    )


def _build_run(name: str, spoken: list[AgentTurn], result: RecordedRow | None, known: tuple[str, str]) -> RecordedRun:
    turns = tuple(sorted(spoken, key=lambda turn: (turn.round, turn.step)))
    task, group = known
    return RecordedRun(
        run=name,
        task=task or name,
        turns=turns,
        answer=answer_or_none(result.answer) if result else None,
        outcome=result.outcome if result else None,
        gold=answer_or_none(result.gold) if result else None,
        group=group,
    )


def _build_team(name: str, runs: tuple[RecordedRun, ...], graph: TeamGraph | None) -> RecordedTeam:
    turns = [turn for run in runs for turn in run.turns]
    agents = list(dict.fromkeys(turn.agent for turn in turns))
    return RecordedTeam(
        name=name,
        graph=graph or TeamGraph(agents, max(turn.round for turn in turns)),
        runs=runs,
        models={turn.agent: turn.model for turn in turns if turn.model},
        prompts={turn.agent: turn.prompt_digest for turn in turns if turn.prompt_digest},
    )
