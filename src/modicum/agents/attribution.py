"""Who costs what and who adds what, read from recorded runs without a single model call.

Two kinds of figures stand in one report: exact ones (who used which share of the tokens, whose answer equals another's)
and inferred ones (what would the vote have been without this agent). `cannot_tell` says what no record can.
"""

from collections import defaultdict
from collections.abc import Sequence

import msgspec
import numpy as np

from modicum.agents.answers import find_tied_answers, vote
from modicum.agents.graph import TeamGraph
from modicum.agents.recordings import AgentTurn, ReadMessage, RecordedRun, RecordedTeam
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.statistics.paired import paired_difference
from modicum.statistics.proportions import share_over_tasks

CONFIDENCE = 0.95


class IntervalEstimate(msgspec.Struct, frozen=True):
    value: float
    low: float
    high: float
    count: int
    """Observations behind it."""


class AgentRound(msgspec.Struct, frozen=True, omit_defaults=True):
    """One agent in one round (0: all its rounds together)."""

    agent: str
    round: int
    turns_count: int
    calls_share: float
    token_share: float | None
    """Of the team's prompt and completion tokens; None where turns were not counted."""
    prompt_tokens: int | None
    completion_tokens: int | None
    abstained_share: float
    repeats_share: float | None
    """Turns whose answer another agent had already given in this round; None without answers."""
    unchanged_share: float | None
    """Turns that only repeated the agent's own answer of the round before."""
    own_score: IntervalEstimate | None
    """How good its own answers were; None where nothing graded them, or it never gave one."""
    without: IntervalEstimate | None
    """Change of the re-voted score if its last answers are left out: above 0, the team votes better without it."""


class EdgeShare(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one agent's words cost in another's prompts, and what they did there."""

    source: str
    reader: str
    kind: str
    reads_count: int
    tokens: int | None
    token_share: float | None
    """Of the team's tokens."""
    tokens_basis: str
    """`exact` where the record counted the copied tokens, `estimated` from the source's completion tokens."""
    assumed_count: int
    """Of the reads, those that no record shows: whoever spoke before is taken for read, as far as the graph lets it."""
    moved_right: int
    """Times the reader went from a wrong answer to the source's right one after reading it."""
    moved_wrong: int


class NaturalExperiment(msgspec.Struct, frozen=True, omit_defaults=True):
    """Runs in which an agent happened to be missing against runs of the same tasks with it."""

    agent: str
    runs_without: int
    tasks_compared: int
    change: IntervalEstimate | None
    """Mean over tasks of (score without - score with); None without a task that has both."""


class TeamAttribution(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    team: str
    agents: tuple[str, ...]
    runs_count: int
    graded_count: int
    score: IntervalEstimate | None
    tokens: int | None
    per_agent: tuple[AgentRound, ...]
    per_round: tuple[AgentRound, ...]
    edges: tuple[EdgeShare, ...]
    natural: tuple[NaturalExperiment, ...]
    revote_share: float | None
    """Runs whose recorded answer the vote of the last answers reproduces. Far below 1, the team does not decide by
    voting, and `without` says little."""
    cannot_tell: tuple[str, ...]

    def agent(self, name: str) -> AgentRound:
        return next(one for one in self.per_agent if one.agent == name)


def attribute(team: RecordedTeam) -> TeamAttribution:
    """The whole report."""
    names = team.graph.agents
    turns = [turn for run in team.runs for turn in run.turns]
    rounds = sorted({turn.round for turn in turns})
    total = _tokens(turns)
    calls = sum(turn.calls_count for turn in turns)
    scores = [run.team_score for run in team.graded]
    revotes = [vote(list(run.last_answers().values())) == run.answer for run in team.runs if run.answer is not None]
    return TeamAttribution(
        team=team.name,
        agents=names,
        runs_count=len(team.runs),
        graded_count=len(team.graded),
        score=_mean([score for score in scores if score is not None]),
        tokens=total,
        per_agent=tuple(_attribute_agent_round(team, name, None, calls, total) for name in names),
        per_round=tuple(
            _attribute_agent_round(team, name, number, calls, total)
            for number in rounds
            for name in names
            if any(turn.agent == name and turn.round == number for turn in turns)
        ),
        edges=tuple(_measure_edges(team, total)),
        natural=tuple(_find_natural_experiments(team, name) for name in names),
        revote_share=float(np.mean(revotes)) if revotes else None,
        cannot_tell=tuple(_list_limits(team, revotes)),
    )


def _attribute_agent_round(
    team: RecordedTeam, name: str, number: int | None, calls: int, total: int | None
) -> AgentRound:
    mine = [
        (run, turn)
        for run in team.runs
        for turn in run.turns
        if turn.agent == name and (number is None or turn.round == number)
    ]
    tokens = _tokens([turn for _, turn in mine])
    scores = own_scores(team, name, number)
    return AgentRound(
        agent=name,
        round=number or 0,
        turns_count=len(mine),
        calls_share=sum(turn.calls_count for _, turn in mine) / max(1, calls),
        token_share=tokens / total if tokens is not None and total else None,
        prompt_tokens=_sum([turn.prompt_tokens for _, turn in mine]),
        completion_tokens=_sum([turn.completion_tokens for _, turn in mine]),
        abstained_share=float(np.mean([turn.answer is None for _, turn in mine])) if mine else 0.0,
        repeats_share=_share([_is_repeat(run, turn) for run, turn in mine if turn.answer is not None]),
        unchanged_share=_share([_is_unchanged(run, turn) for run, turn in mine if turn.round > 1]),
        own_score=_mean(scores),
        without=leave_one_out(team, name) if number is None else None,
    )


def own_scores(team: RecordedTeam, name: str, number: int | None = None) -> list[float]:
    """What each of an agent's own answers was worth, where that is known; in one round, or in all.

    Not to answer where others do is an answer that is not right. Of an agent that never answers in any run (a planner,
    a tool) nothing is known.
    """
    mine = [(run, turn) for run in team.runs for turn in run.turns if turn.agent == name]
    if _has_no_answers([turn for _, turn in mine]):
        return []
    found = [run.own_score(turn) for run, turn in mine if number is None or turn.round == number]
    return [score for score in found if score is not None]


def leave_one_out(team: RecordedTeam, name: str) -> IntervalEstimate | None:
    """Change of the score of the vote when the agent's last answers are left out; None without graded answers.

    Exact where the team votes and nobody had read the agent; otherwise what the vote alone would lose or gain. A tie
    counts as if it were broken by lot: with four votes left ties are frequent, and whoever happened to speak first
    would decide them.
    """
    pairs = []
    for run in team.graded:
        last = run.last_answers()
        with_all = _mean_vote_score(run, list(last.values()))
        without = _mean_vote_score(run, [answer for agent, answer in last.items() if agent != name])
        if len(last) > 1 and with_all is not None and without is not None:
            pairs.append((with_all, without))
    if not pairs:
        return None
    before, after = zip(*pairs, strict=True)
    found = paired_difference(before, after, confidence=CONFIDENCE)
    return IntervalEstimate(found.mean, found.low, found.high, found.pairs_count)


def _mean_vote_score(run: RecordedRun, answers: Sequence[str | None]) -> float | None:
    """Mean score of the answers that the vote may give; None where the record cannot tell it of one of them."""
    worths = [run.worth(answer) for answer in find_tied_answers(answers)]
    known = [worth for worth in worths if worth is not None]
    return float(np.mean(known)) if len(known) == len(worths) else None


def _is_repeat(run: RecordedRun, turn: AgentTurn) -> bool:
    return any(
        one.round == turn.round and one.step < turn.step and one.answer == turn.answer and one.agent != turn.agent
        for one in run.turns
    )


def _is_unchanged(run: RecordedRun, turn: AgentTurn) -> bool:
    return any(
        one.agent == turn.agent and one.round == turn.round - 1 and one.answer == turn.answer for one in run.turns
    )


def find_reads(run: RecordedRun, turn: AgentTurn, graph: TeamGraph) -> tuple[ReadMessage, ...]:
    """What a turn had read: as recorded, or what the graph lets it read of what came before."""
    if turn.reads is not None:
        return turn.reads
    found = []
    for one in run.turns:
        if one.round == turn.round and one.step < turn.step:
            mask = graph.spatial[min(turn.round, graph.rounds) - 1]
        elif one.round == turn.round - 1 and graph.rounds > 1:
            mask = graph.temporal[min(turn.round, graph.rounds) - 2]
        else:
            continue
        if mask[graph.index(one.agent), graph.index(turn.agent)]:
            found.append(ReadMessage(one.agent, one.round))
    return tuple(found)


def _measure_edges(team: RecordedTeam, total: int | None) -> list[EdgeShare]:
    tokens: dict[tuple[str, str, str], list[tuple[int | None, bool]]] = defaultdict(list)
    assumed: dict[tuple[str, str, str], int] = defaultdict(int)
    moved: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for run in team.runs:
        turns = {(turn.agent, turn.round): turn for turn in run.turns}
        for turn in run.turns:
            for read in find_reads(run, turn, team.graph):
                source = turns.get((read.agent, read.round))
                if source is None:
                    continue
                edge = (read.agent, turn.agent, "spatial" if read.round == turn.round else "temporal")
                counted = read.tokens is not None
                assumed[edge] += turn.reads is None
                tokens[edge].append((read.tokens if counted else source.completion_tokens, counted))
                move = _score_move(run, turns.get((turn.agent, turn.round - 1)), source, turn)
                moved[edge][0] += move > 0
                moved[edge][1] += move < 0
    found = []
    for (writer, reader, kind), counts in tokens.items():
        known = _sum([count for count, _ in counts])
        found.append(
            EdgeShare(
                source=writer,
                reader=reader,
                kind=kind,
                reads_count=len(counts),
                tokens=known,
                token_share=known / total if known is not None and total else None,
                tokens_basis="unknown" if known is None else "exact" if all(e for _, e in counts) else "estimated",
                assumed_count=assumed[writer, reader, kind],
                moved_right=moved[writer, reader, kind][0],
                moved_wrong=moved[writer, reader, kind][1],
            )
        )
    return sorted(found, key=lambda edge: -(edge.tokens or 0))


def _score_move(run: RecordedRun, before: AgentTurn | None, source: AgentTurn, after: AgentTurn) -> int:
    """+1 where the reader took over the source's answer and went from wrong to right, -1 the other way."""
    if before is None or before.agent == source.agent or after.answer != source.answer or before.answer == after.answer:
        return 0
    was, now = run.own_score(before), run.own_score(after)
    return 0 if was is None or now is None else int(np.sign(now - was))


def _find_natural_experiments(team: RecordedTeam, name: str) -> NaturalExperiment:
    by_task: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    without = 0
    for run in team.graded:
        present = any(turn.agent == name for turn in run.turns)
        without += not present
        by_task[run.task][present].append(run.team_score or 0.0)
    both = [(float(np.mean(yes)), float(np.mean(no))) for no, yes in by_task.values() if yes and no]
    change = None
    if both:
        found = paired_difference([one for one, _ in both], [two for _, two in both], confidence=CONFIDENCE)
        change = IntervalEstimate(found.mean, found.low, found.high, found.pairs_count)
    return NaturalExperiment(name, without, len(both), change)


def _list_limits(team: RecordedTeam, revotes: Sequence[bool]) -> list[str]:
    limits = [
        "how the kept agents would have answered without a dropped one's messages: 'modicum team verify' shows that"
    ]
    if not team.graded:
        limits.append("who is right: no run has an outcome or a gold answer, so only cost and agreement are known")
    elif len(team.graded) < len(team.runs):
        limits.append(
            f"outcomes of {len(team.runs) - len(team.graded)} of {number_of(len(team.runs), 'run')}: none is recorded"
        )
    if team.graded and len({run.team_score for run in team.graded}) == 1:
        limits.append("what makes a difference: every graded run had the same outcome")
    if team.graded and all(run.gold is None for run in team.graded):
        limits.append(
            "whether an agent that contradicted a wrong team was right: there are outcomes but no gold answers"
        )
    if revotes and np.mean(revotes) < 0.9:
        limits.append(
            f"the effect of leaving out an agent: the vote of the last answers gives the recorded answer in only "
            f"{percent(float(np.mean(revotes)), 0)} of runs, so something else decides"
        )
    return [*limits, *_list_oddities(team)]


def _list_oddities(team: RecordedTeam) -> list[str]:
    """What looks wrong in the record, or is missing there."""
    limits = []
    turns_by_agent: dict[str, list[AgentTurn]] = defaultdict(list)
    for run in team.runs:
        for turn in run.turns:
            turns_by_agent[turn.agent].append(turn)
    mute = [name for name, turns in turns_by_agent.items() if _has_no_answers(turns)]
    if mute and team.graded and len(mute) < len(turns_by_agent):
        limits.append(f"how good {', '.join(mute)} was: no run records an answer of its own")
    twice = sorted({turn.agent for run in team.runs for turn in run.turns if _is_asked_again(run, turn)})
    if twice:
        limits.append(
            f"who said what in rounds with two turns of {', '.join(twice)}: give each agent its own name, and each"
            " round a number"
        )
    if odd := [(run, turn, read) for run in team.runs for turn, read in _list_reads_before_writing(run)]:
        run, turn, read = odd[0]
        limits.append(
            f"who read whom in {number_of(len(odd), 'case')} that contradict the order of turns (run '{run.run}': "
            f"{turn.agent} in round {turn.round} had read {read.agent} of round {read.round}, who had not spoken yet)"
        )
    if any(turn.tokens is None for run in team.runs for turn in run.turns):
        limits.append("token shares: some turns were recorded without token counts")
    return limits


def _has_no_answers(turns: Sequence[AgentTurn]) -> bool:
    """Whether no turn has an answer or a grade."""
    return all(turn.answer is None and turn.score is None for turn in turns)


def _is_asked_again(run: RecordedRun, turn: AgentTurn) -> bool:
    return any(one is not turn and one.agent == turn.agent and one.round == turn.round for one in run.turns)


def _list_reads_before_writing(run: RecordedRun) -> list[tuple[AgentTurn, ReadMessage]]:
    """Messages that a turn says it had read before they were written."""
    found = []
    written: set[tuple[str, int]] = set()
    for turn in run.turns:
        found += [(turn, read) for read in turn.reads or () if (read.agent, read.round) not in written]
        written.add((turn.agent, turn.round))
    return found


def _mean(values: Sequence[float]) -> IntervalEstimate | None:
    """Mean of scores in 0..1 with its interval."""
    if not values:
        return None
    low, high = share_over_tasks(values, confidence=CONFIDENCE)
    return IntervalEstimate(float(np.mean(values)), low, high, len(values))


def _share(flags: Sequence[bool]) -> float | None:
    return float(np.mean(flags)) if flags else None


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _tokens(turns: Sequence[AgentTurn]) -> int | None:
    return _sum([turn.tokens for turn in turns])
