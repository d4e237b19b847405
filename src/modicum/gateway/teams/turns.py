"""Turns of a team, for calls whose headers say whose turn they are (`modicum.agents.headers`): what of the team's plan
concerns a call, replies in the place of stopped agents, and who said what.

A call of a stopped agent is answered here, where a plain text can be what its caller waits for; for others the plan's
rules (`modicum.agents.turn_rules`) get to know what they need. docs/teams.md says what is done and what is not.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import time
from typing import NamedTuple, Protocol

import msgspec

from modicum.agents.answers import digest_answer
from modicum.agents.headers import TurnQuestion, TurnVerdict, answer_question, parse_turn_question
from modicum.agents.plan_rules import digest_text
from modicum.agents.team_plan import find_line
from modicum.agents.turn import TeamTurn
from modicum.agents.turn_rules import RULES
from modicum.experiments.team_runs import CANARY, NEITHER, PLAN, GivenAnswer
from modicum.gateway import replies
from modicum.gateway.callers.attribution import MOST_CHARACTERS
from modicum.gateway.exchange import Exchange, OwnReply, PendingEdit
from modicum.gateway.experimenting import HeldOutTeams
from modicum.gateway.http.client import Client
from modicum.gateway.optimizing import FeatureFacts
from modicum.gateway.process.log import log
from modicum.gateway.teams.plans import Team, TeamPlans
from modicum.gateway.teams.runs import Run, Runs
from modicum.providers.dialects import DIALECTS
from modicum.providers.own_reply import JSON, OwnText
from modicum.providers.prompt import RequestPrompt

MOST_REPLY_BYTES = 4 * 1024 * 1024
"""A stream that is longer has no answer for us."""
MOST_REASONS = 1_000
GONE = "the plan was taken away"
"""Why the full team runs on: only replies that we gave are still taken out of its prompts."""
REFUSED = 403
"""Official clients send 408, 409, 429 and 5xx again; not this."""

_RUN = b"x-modicum-run"
_TEAM = (b"x-modicum-agent-team", b"x-modicum-team")
_TURN = (_RUN, b"x-modicum-agent", b"x-modicum-parent", b"x-modicum-round")
_ANSWERS = {"team_answer", "gold"}
"""Tags of callers that are compared with agents' answers, and so are kept as the same digests."""
_RETRY = b"x-stainless-retry-count"
"""How the official clients mark a request that they send again."""

EMPTY_TEXTS = frozenset(dialect.empty_text for dialect in DIALECTS.values() if dialect.empty_text)
"""What stopped agents say where the settings leave it empty and their API takes no empty text in a later prompt."""

RecordRun = Callable[[str, str, str, str, str, float], None]
"""Takes note of a run: team, run, task, digest of the plan, arm, chance of being a canary."""


class AnswerExchange(Protocol):
    """Answers of runs, shared by all workers of this machine."""

    def share(self, scope: str, team: str, run: str, given: GivenAnswer) -> None: ...

    def look_up(self, scope: str, team: str, run: str) -> Sequence[GivenAnswer]: ...


class _Call(NamedTuple):
    """One turn of a team, as far as we have looked."""

    exchange: Exchange
    team: Team
    run: Run
    question: TurnQuestion
    prompt: RequestPrompt | None


class StoppedTurn(NamedTuple):
    """A call of an agent that the plan stops."""

    reply: OwnReply
    edit: PendingEdit


class TeamTurns:
    """Knows what plans say of calls (`optimizing.FactSource`), and answers those of stopped agents
    (`answering.Answerer`).

    Args:
        record_run: takes note of a run's arm.
        answers: of other workers, and for them.
        key: of the digests of answers.
    """

    name = "team_plan"

    def __init__(self, plans: TeamPlans, record_run: RecordRun, answers: AnswerExchange, key: bytes) -> None:
        self._plans, self._record_run, self._answers, self._key = plans, record_run, answers, key
        self._runs = Runs()
        self._logged_reasons: set[tuple[str, str, str]] = set()
        self._led: dict[str, Team] = {}

    @property
    def has_led(self) -> bool:
        """Whether any run went under a plan: then there may be replies of ours in prompts, whatever became of it."""
        return bool(self._led)

    def facts(self, exchange: Exchange) -> FeatureFacts | None:
        headers = exchange.request.headers
        if _RUN not in headers or not exchange.request.served.dialect.generates:
            return None
        named = next((headers[name] for name in _TEAM if name in headers), b"").decode("utf-8", "replace")
        team = self._plans.in_force.get(named)
        gone = team is None
        team = team or self._led.get(named)
        if team is None:
            return None
        turn_headers = {name.decode(): headers[name].decode("utf-8", "replace") for name in _TURN if name in headers}
        question = parse_turn_question({name: value[:MOST_CHARACTERS] for name, value in turn_headers.items()})
        if question is None:
            return None
        scope = exchange.about.owner.key
        if gone and not self._goes_on(scope, team, question, exchange):
            return None
        self._led[named] = team
        run = self._runs.of(scope, team.name, question.run, lambda: self._new(team, question, exchange))
        prompt = exchange.prompt
        known = prompt if isinstance(prompt, RequestPrompt) and prompt.is_known else None
        if team.plan.early_exit is not None and not run.agreed:
            for given in self._answers.look_up(scope, team.name, question.run):
                if not run.knows_answer(given.agent, given.round):
                    run.answered(given.agent, given.round, given.answer)
        call = _Call(exchange, team, run, question, known)
        self._check(call)
        return self._turn(call)

    async def answer(self, exchange: Exchange, client: Client) -> bytes | None:
        stopped = exchange.of(StoppedTurn)
        if stopped is None:
            return None
        exchange.edits += (stopped.edit,)
        return replies.own(exchange, stopped.reply, client)

    def _goes_on(self, scope: str, team: Team, question: TurnQuestion, exchange: Exchange) -> bool:
        """Whether a run whose plan was taken away has had replies of ours. Then the full team goes on without these."""
        run = self._runs.find(scope, team.name, question.run)
        if run is None or not run.silenced:
            return False
        if not run.guard.full_because:
            run.guard.full_because = GONE
            self._record_run(team.name, question.run, exchange.about.task, team.digest, NEITHER, 0.0)
        return True

    def _new(self, team: Team, question: TurnQuestion, exchange: Exchange) -> Run:
        run = Run(team.plan.guard(question.run, watch=team.watch))
        share = run.guard.canary_share
        held_out = exchange.of(HeldOutTeams)
        if held_out is not None:
            share += (1 - share) * held_out.chances.get(team.name, 0.0)
            if team.name in held_out.teams:
                run.guard.full_because = run.guard.full_because or "canary"
        why = run.guard.full_because
        arm = CANARY if why == "canary" else NEITHER if why else PLAN
        self._record_run(team.name, question.run, exchange.about.task, team.digest, arm, share)
        return run

    def _check(self, call: _Call) -> None:
        """Whether the plan still fits. If not, the full team runs from here on."""
        team, run, agent = call.team, call.run, call.question.agent
        prompts = {} if call.prompt is None else {agent: call.prompt.system}
        why = run.guard.full_because
        if not why:
            models = {agent: call.exchange.facts.model}
            why = team.plan.full_because(prompts=prompts, models=models, watch=team.watch)
            if why:
                run.guard.full_because = why
                self._record_run(team.name, call.question.run, call.exchange.about.task, team.digest, NEITHER, 0.0)
        if why and why != "canary" and self._first_time(team, why):
            log("team_plan_not_applied", team=team.name, problem=self._explain(team, agent, why, prompts))

    def _first_time(self, team: Team, what: str) -> bool:
        """Whether this was not logged yet of the plan."""
        reason = team.name, team.digest, what
        if reason in self._logged_reasons or len(self._logged_reasons) >= MOST_REASONS:
            return False
        self._logged_reasons.add(reason)
        return True

    @staticmethod
    def _explain(team: Team, agent: str, why: str, prompts: Mapping[str, str]) -> str:
        """With file and line, and what would be accepted."""
        bound = team.plan.bound_to
        text = team.text
        if "instructions" in why and agent in bound.prompts:
            planned, now = bound.prompts[agent], digest_text(prompts[agent])
            return f"{team.place}{find_line(text, 'prompts')}: {why}; accepted is the digest {planned}, now it is {now}"
        if "model" in why and agent in bound.models:
            return f"{team.place}{find_line(text, 'models')}: {why}; accepted is {bound.models[agent]}"
        return f"{team.place}: {why}"

    def _turn(self, call: _Call) -> FeatureFacts:
        run, agent, prompt = call.run, call.question.agent, call.prompt
        goes_on = prompt is not None and prompt.ends_with_tool_result and agent in run.callers
        again = call.exchange.request.headers.get(_RETRY, b"0") != b"0" and agent in run.callers
        again = again or agent in run.unfinished
        question = call.question
        if question.round is None and (goes_on or again):
            question = msgspec.structs.replace(question, round=run.guard.round_of(agent))
        run.callers.add(agent)
        verdict = answer_question(run.guard, question)
        tags = {
            "agent_team": call.team.name,
            "round": str(verdict.round),
            "plan_arm": ("canary" if verdict.full_because == "canary" else "full") if verdict.full_because else "plan",
        }
        if prompt is not None:
            tags["prompt_digest"] = digest_text(prompt.system)
        for name in _ANSWERS & call.exchange.about.tags.keys():
            tags[name] = digest_answer(call.exchange.about.tags[name], self._key) or ""
        why = "" if verdict.speaks or verdict.full_because else f"'{agent}' is dropped in round {verdict.round}"
        if not why and not verdict.full_because and run.agreed and not goes_on and run.stops(agent, verdict.round):
            why = run.agreed
        stopped = self._stopped(call, why, tags, is_drop=not verdict.speaks) if why else None
        if stopped is not None:
            return stopped
        run.unfinished.add(agent)
        share = partial(self._answers.share, call.exchange.about.owner.key, call.team.name, call.question.run)
        listener = TurnListener(call, verdict.round, self._key, share)
        mark = "full" if verdict.full_because else "plan"
        return FeatureFacts((_team_turn(call, verdict),), RULES, tags, listener, mark)

    def _stopped(self, call: _Call, why: str, tags: dict[str, str], *, is_drop: bool) -> FeatureFacts | None:
        """The answer in the provider's place; None where the caller could not take one."""
        exchange, settings = call.exchange, call.team.settings
        dialect = exchange.request.served.dialect
        edit = PendingEdit(f"{self.name}.{'drop' if is_drop else 'agreed'}", why, exchange.edited)
        mark = "dropped" if is_drop else "agreed"
        if settings.dropped == "refuse":
            body = dialect.error(REFUSED, f"the team's plan stops this call: {why}", "agent_dropped")
            reply = OwnReply(REFUSED, JSON, body, "agent_dropped")
            return FeatureFacts((StoppedTurn(reply, edit),), tags=tags, mark=mark)
        if call.prompt is None or call.prompt.why_no_text:
            tags["plan_passed_on"] = call.prompt.why_no_text if call.prompt is not None else "its API is not known here"
            return None
        facts = exchange.facts
        number = "".join(filter(str.isalnum, exchange.number))
        text = settings.reply or dialect.empty_text
        made = dialect.own_reply(OwnText(number, facts.model, text, int(time()), facts.stream, facts.usage_asked))
        if made is None:
            tags["plan_passed_on"] = "replies of its API are not written here"
            return None
        call.run.silenced.add(call.question.agent)
        return FeatureFacts((StoppedTurn(OwnReply(200, *made), edit),), tags=tags, mark=mark)


def _team_turn(call: _Call, verdict: TurnVerdict) -> TeamTurn:
    """What the plan's rules need to know of a turn."""
    team, run, question = call.team, call.run, call.question
    return TeamTurn(
        plan=team.plan,
        agent=question.agent,
        parent=question.parent,
        round=verdict.round,
        model=verdict.model,
        full_because=verdict.full_because,
        spoken=run.guard.rounds_spoken(),
        said_by=run.authors_by_digest,
        silenced=frozenset(run.silenced),
        marks=team.settings.marks,
        reply=team.settings.reply,
        empty_texts=EMPTY_TEXTS,
    )


class TurnListener:
    """Listens to the reply of a turn: who said what, and what the answer is."""

    name = "turn"

    def __init__(self, call: _Call, round_number: int, key: bytes, share: Callable[[GivenAnswer], None]) -> None:
        self._call, self._round, self._key, self._share = call, round_number, key, share
        self._chunks: list[bytes] = []
        self._size = 0

    def on_chunk(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size <= MOST_REPLY_BYTES:
            self._chunks.append(chunk)

    def on_end(self, exchange: Exchange, end: bytes) -> Mapping[str, str]:
        if exchange.reply is None or not exchange.reply.complete or exchange.reply.error_kind:
            return {}
        if self._size:
            stream = b"".join(self._chunks) if self._size <= MOST_REPLY_BYTES else b""
            reply = exchange.upstream_dialect.reply_text(stream, stream=True)
        else:
            reply = exchange.request.served.dialect.reply_text(end, stream=False)
        agent, run = self._call.question.agent, self._call.run
        run.unfinished.discard(agent)
        if reply is None:
            return {}
        run.record_saying(agent, reply.text)
        if reply.calls_tools:
            return {}
        answer = digest_answer(self._call.team.answer_in(reply.text), self._key)
        if agent in self._call.team.plan.agents:
            run.answered(agent, self._round, answer)
            if run.guard.plan.early_exit is not None:
                self._share(GivenAnswer(self._round, agent, answer))
        return {"answer": answer} if answer else {}
