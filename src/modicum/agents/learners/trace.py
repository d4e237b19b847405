"""The default learner: reads recorded runs. Where there are none it records the full team first, and counts that."""

from typing import Literal

import msgspec

from modicum.agents.attribution import TeamAttribution, attribute
from modicum.agents.graph import TeamGraph
from modicum.agents.plan_rules import Decision, Learned
from modicum.agents.proposal import make_blank_plan, make_drop_plan, propose_and_check, rank_agents
from modicum.agents.recordings import RecordedRow, RecordedTeam, build_team
from modicum.agents.team_plan import SCHEMA, TeamPlan
from modicum.agents.trials import AtLeastOne, BudgetSpent, LearnedTeam, Share, Trials
from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    drop_count: AtLeastOne | None = None
    """Drop so many of the worst, as the other learners do; None: propose what the record shows to be safe."""
    by: Literal["", "own", "without"] = ""
    """"own", "without", or the better of what the record allows; see `proposal.ranking`."""
    max_loss: Share = 0.02
    seed: int = 0
    """Unused: reading a record leaves nothing to chance."""

    def learn(
        self, graph: TeamGraph, *, recorded: RecordedTeam | None = None, trials: Trials | None = None
    ) -> LearnedTeam:
        """From the recorded runs, or from one run of the full team on each task of the trials."""
        spent = False
        if recorded is None:
            recorded, spent = record(graph, trials)
        report = attribute(recorded)
        if self.drop_count is None:
            plan = propose_and_check(recorded, max_loss=self.max_loss)
        else:
            plan = self._dropped(graph, recorded, report)
        assert plan.learned is not None  # noqa: S101 - blank_plan sets it
        learned = msgspec.structs.replace(
            plan.learned,
            learner="trace",
            trials_count=trials.trials_count if trials else 0,
            tokens_spent=trials.tokens_spent if trials else 0,
            parameters=msgspec.to_builtins(self),
        )
        order = rank_agents(report, self.by)
        return LearnedTeam(
            plan=msgspec.structs.replace(plan, learned=learned),
            weights=[[float(order.index(agent)) for agent in graph.agents]] * graph.rounds,
            prompt_tokens=trials.prompt_tokens if trials else 0,
            completion_tokens=trials.completion_tokens if trials else 0,
            trials_count=trials.trials_count if trials else 0,
            budget_spent=spent,
        )

    def _dropped(self, graph: TeamGraph, recorded: RecordedTeam, report: TeamAttribution) -> TeamPlan:
        """The plan without the worst, as many as were asked for and may go."""
        assert self.drop_count is not None  # noqa: S101 - the caller's condition
        worst = [agent for agent in rank_agents(report, self.by) if agent not in graph.protect]
        count = min(self.drop_count, len(worst), len(graph.agents) - 1)
        if count < 1:
            alone = len(graph.agents) == 1
            why = (
                "a team of one agent has nobody to drop" if alone else "every agent is protected: nobody may be dropped"
            )
            return make_blank_plan(recorded, Decision.KEEP_ALL, why)
        planned = "" if count == self.drop_count else f" ({self.drop_count} were asked for)"
        why = (
            f"without the worst {count} of {number_of(len(graph.agents), 'agent')}{planned}, whatever the effect: "
            "verify it first"
        )
        return make_drop_plan(make_blank_plan(recorded, Decision.REDUCE, why), worst[:count], report)


def record(graph: TeamGraph, trials: Trials | None) -> tuple[RecordedTeam, bool]:
    """Runs the full team once on every task, or until the budget is spent."""
    if trials is None:
        raise UserError("the learner 'trace' needs recorded runs, or tasks and a runner to record some")
    full = TeamPlan(
        schema=SCHEMA,
        team="",
        decision=Decision.KEEP_ALL,
        agents=graph.agents,
        rounds=graph.rounds,
        canary_share=0,
        learned=Learned(learner="trace"),
    )
    rows: list[tuple[int, RecordedRow]] = []
    spent = False
    for number in range(len(trials.tasks)):
        try:
            done, score = trials.next(full)
        except BudgetSpent:
            spent = True
            break
        if not done.rows:
            raise UserError(
                "the learner 'trace' reads who said what, and the runner returned a run without turns: return "
                "TeamRun(rows=...), which modicum.agents.recorder.TeamRecorder makes"
            )
        run = f"run-{number}"
        rows += [(len(rows), msgspec.structs.replace(row, run=run, team="")) for row in done.rows]
        rows.append((len(rows), RecordedRow(run=run, answer=done.answer, outcome=score)))
    return build_team(rows, path="the runs of this fit", graph=graph)[0], spent
