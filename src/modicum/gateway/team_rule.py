"""A team's plan, applied to calls whose headers say whose turn they are (`modicum.agents.headers`).

A call of a stopped agent is answered here, where a plain text can be what its caller waits for; others go on without
the messages that the plan hides, and with the model that it names. docs/teams.md says what is done and what is not.
"""

from collections.abc import Callable, Mapping
from time import time
from typing import NamedTuple

import msgspec

from modicum.agents.answers import digest_answer
from modicum.agents.headers import TurnQuestion, answer_question, parse_turn_question
from modicum.agents.plan_rules import digest_text
from modicum.agents.team_plan import find_line
from modicum.gateway.attribution import MOST_CHARACTERS
from modicum.gateway.exchange import Exchange, OwnReply, PendingEdit
from modicum.gateway.log import log
from modicum.gateway.optimizing import Change
from modicum.gateway.refusal import Refused
from modicum.gateway.team_outcomes import CANARY, NEITHER, PLAN
from modicum.gateway.team_plans import Team, TeamPlans
from modicum.gateway.team_reader import Reader
from modicum.gateway.team_runs import Run, Runs
from modicum.gateway.upstreams import Route
from modicum.providers.facts import DialectError, ReplyFacts, StreamTail
from modicum.providers.own_reply import JSON, OwnText
from modicum.providers.prompt import Prompt

MOST_HEARD_BYTES = 4 * 1024 * 1024
"""A stream that is longer has no answer for us."""
MOST_TOLD = 1_000
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

Began = Callable[[str, str, str, str, str], None]
"""Takes note of a run: team, run, task, digest of the plan, arm."""


class _Call(NamedTuple):
    """One turn of a team, as far as the rule has looked."""

    exchange: Exchange
    team: Team
    run: Run
    question: TurnQuestion
    prompt: Prompt | None


class TeamRule:
    """Args:
    route: where a model goes, in a dialect.
    began: takes note of a run's arm.
    key: of the digests of answers.
    """

    name = "team_plan"

    def __init__(self, plans: TeamPlans, route: Callable[[str, str], Route], began: Began, key: bytes) -> None:
        self._plans, self._route, self._began, self._key = plans, route, began, key
        self._runs = Runs()
        self._told: set[tuple[str, str, str]] = set()
        self._led: dict[str, Team] = {}

    @property
    def has_led(self) -> bool:
        """Whether any run went under a plan: then there may be replies of ours in prompts, whatever became of it."""
        return bool(self._led)

    def __call__(self, exchange: Exchange) -> Change | None:
        headers = exchange.request.headers
        if _RUN not in headers or not exchange.request.served.dialect.generates:
            return None
        named = next((headers[name] for name in _TEAM if name in headers), b"").decode("utf-8", "replace")
        team = self._plans.in_force.get(named)
        gone = team is None
        team = team or self._led.get(named)
        if team is None:
            return None
        told = {name.decode(): headers[name].decode("utf-8", "replace") for name in _TURN if name in headers}
        question = parse_turn_question({name: value[:MOST_CHARACTERS] for name, value in told.items()})
        if question is None:
            return None
        scope = exchange.about.owner.key
        if gone and not self._goes_on(scope, team, question, exchange):
            return None
        self._led[named] = team
        run = self._runs.of(scope, team.name, question.run, lambda: self._new(team, question, exchange))
        call = _Call(exchange, team, run, question, exchange.request.served.dialect.prompt(exchange.body))
        self._check(call)
        return self._turn(call)

    def _goes_on(self, scope: str, team: Team, question: TurnQuestion, exchange: Exchange) -> bool:
        """Whether a run whose plan was taken away has had replies of ours. Then the full team goes on without these."""
        run = self._runs.known(scope, team.name, question.run)
        if run is None or not run.silenced:
            return False
        if not run.guard.full_because:
            run.guard.full_because = GONE
            self._began(team.name, question.run, exchange.about.task, team.digest, NEITHER)
        return True

    def _new(self, team: Team, question: TurnQuestion, exchange: Exchange) -> Run:
        run = Run(team.plan.guard(question.run, watch=team.watch))
        why = run.guard.full_because
        arm = CANARY if why == "canary" else NEITHER if why else PLAN
        self._began(team.name, question.run, exchange.about.task, team.digest, arm)
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
                self._began(team.name, call.question.run, call.exchange.about.task, team.digest, NEITHER)
        if why and why != "canary" and self._first_time(team, why):
            log("team_plan_not_applied", team=team.name, problem=self._told_why(team, agent, why, prompts))

    def _first_time(self, team: Team, what: str) -> bool:
        """Whether the log has not been told this yet of the plan."""
        told = team.name, team.digest, what
        if told in self._told or len(self._told) >= MOST_TOLD:
            return False
        self._told.add(told)
        return True

    @staticmethod
    def _told_why(team: Team, agent: str, why: str, prompts: Mapping[str, str]) -> str:
        """With file and line, and what would be accepted."""
        bound = team.plan.bound_to
        text = team.text
        if "instructions" in why and agent in bound.prompts:
            wanted, now = bound.prompts[agent], digest_text(prompts[agent])
            return f"{team.place}{find_line(text, 'prompts')}: {why}; accepted is the digest {wanted}, now it is {now}"
        if "model" in why and agent in bound.models:
            return f"{team.place}{find_line(text, 'models')}: {why}; accepted is {bound.models[agent]}"
        return f"{team.place}: {why}"

    def _turn(self, call: _Call) -> Change:
        run, agent, prompt = call.run, call.question.agent, call.prompt
        goes_on = prompt is not None and prompt.ends_with_tool_result and agent in run.asked
        again = call.exchange.request.headers.get(_RETRY, b"0") != b"0" and agent in run.asked
        again = again or agent in run.unfinished
        question = call.question
        if question.round is None and (goes_on or again):
            question = msgspec.structs.replace(question, round=run.guard.round_of(agent))
        run.asked.add(agent)
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
        turn = _HeardTurn(call, verdict.round, self._key)
        if verdict.full_because:
            body = self._may_read(call, verdict.round) if run.silenced else None
            run.unfinished.add(agent)
            return Change(body=body, tags=tags, turn=turn, mark="full")
        why = "" if verdict.speaks else f"'{agent}' is dropped in round {verdict.round}"
        if not why and run.agreed and not goes_on and run.stops(agent, verdict.round):
            why = run.agreed
        stopped = self._stopped(call, why, tags, "drop" if not verdict.speaks else "agreed") if why else None
        if stopped is not None:
            return stopped
        run.unfinished.add(agent)
        return self._allowed(call, verdict.round, verdict.model, Change(tags=tags, turn=turn, mark="plan"))

    def _stopped(self, call: _Call, why: str, tags: dict[str, str], kind: str) -> Change | None:
        """The answer in the provider's place; None where the caller could not take one."""
        exchange, settings = call.exchange, call.team.settings
        dialect = exchange.request.served.dialect
        edit = PendingEdit(f"{self.name}.{kind}", why, exchange.body)
        mark = "dropped" if kind == "drop" else "agreed"
        if settings.dropped == "refuse":
            body = dialect.error(REFUSED, f"the team's plan stops this call: {why}", "agent_dropped")
            reply = OwnReply(REFUSED, JSON, body, "agent_dropped")
            return Change(own_reply=reply, edits=(edit,), tags=tags, mark=mark)
        if call.prompt is None or not call.prompt.answer_fits:
            tags["plan_passed_on"] = call.prompt.why_not if call.prompt is not None else "its API is not known here"
            return None
        facts = exchange.facts
        number = "".join(filter(str.isalnum, exchange.number))
        text = settings.reply or dialect.empty_text
        made = dialect.own_reply(OwnText(number, facts.model, text, int(time()), facts.stream, facts.usage_asked))
        if made is None:
            return None
        call.run.silenced.add(call.question.agent)
        return Change(own_reply=OwnReply(200, *made), edits=(edit,), tags=tags, mark=mark)

    def _allowed(self, call: _Call, round_number: int, model: str, change: Change) -> Change:
        """The call, with what the plan hides taken out, and by the model that it names."""
        exchange, agent, edits = call.exchange, call.question.agent, []
        body = self._may_read(call, round_number)
        if body is not None:
            why = f"hidden from '{agent}'" if agent in call.team.plan.agents else "hidden"
            edits.append(PendingEdit(f"{self.name}.hide", why, exchange.body, body))
        route = self._cheaper(call, model, body or exchange.body) if model else None
        if route is not None:
            edits.append(PendingEdit(f"{self.name}.model", f"{exchange.facts.model} to {model}"))
        return change._replace(body=body, route=route, edits=tuple(edits))

    @staticmethod
    def _may_read(call: _Call, round_number: int) -> bytes | None:
        if call.prompt is None:
            return None
        return Reader(call.team, call.run, call.question.agent, call.question.parent).may_read(
            call.prompt, round_number
        )

    def _cheaper(self, call: _Call, model: str, body: bytes) -> Route | None:
        """The way to another model, by the rules that hold for the caller; None: the call keeps its own."""
        exchange = call.exchange
        dialect = exchange.request.served.dialect.name
        if model == exchange.facts.model:
            return None
        try:
            exchange.caller.check_model(model)
            route = self._route(model, dialect)
            if exchange.caller.own_key is not None and route.upstream is not exchange.route.upstream:
                return None  # the caller's key is for where it was going
            if route.translation is not None:
                route.translation.request(body, route.model)
        except (Refused, DialectError) as refusal:
            if self._first_time(call.team, f"{model}: {refusal.message}"):
                log("team_model_not_used", team=call.team.name, model=model, problem=refusal.message)
            return None
        return route


class _HeardTurn:
    """Hears the reply of a turn: who said what, and what the answer is."""

    def __init__(self, call: _Call, round_number: int, key: bytes) -> None:
        self._call, self._round, self._key = call, round_number, key
        self._tail: _HeardTail | None = None

    def listening(self, tail: StreamTail) -> StreamTail:
        self._tail = _HeardTail(tail)
        return self._tail

    def over(self, exchange: Exchange, end: bytes) -> Mapping[str, str]:
        if exchange.reply is None or not exchange.reply.complete or exchange.reply.error_kind:
            return {}
        if self._tail is not None:
            said = exchange.upstream_dialect.spoken(self._tail.heard(), stream=True)
        else:
            said = exchange.request.served.dialect.spoken(end, stream=False)
        agent, run = self._call.question.agent, self._call.run
        run.unfinished.discard(agent)
        if said is None:
            return {}
        run.said(agent, said.text)
        if said.calls_tools:
            return {}
        answer = digest_answer(self._call.team.answer_in(said.text), self._key)
        if agent in self._call.team.plan.agents:
            run.answered(agent, self._round, answer)
        return {"answer": answer} if answer else {}


class _HeardTail:
    """A stream's tail, and all that it was fed, within bounds."""

    def __init__(self, tail: StreamTail) -> None:
        self._tail = tail
        self._chunks: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> bytes:
        self._size += len(chunk)
        if self._size <= MOST_HEARD_BYTES:
            self._chunks.append(chunk)
        return self._tail.feed(chunk)

    def end(self) -> bytes:
        return self._tail.end()

    def facts(self) -> ReplyFacts:
        return self._tail.facts()

    def heard(self) -> bytes:
        """Nothing, if it was too much."""
        return b"".join(self._chunks) if self._size <= MOST_HEARD_BYTES else b""
