"""The default learner: reads recorded runs. Where there are none it records the full team first, and counts that."""

import msgspec

from modicum.agents.attribution import attribute
from modicum.agents.graph import TeamGraph
from modicum.agents.plan import SCHEMA, Decision, Learned, Plan
from modicum.agents.proposal import blank_plan, drop_plan, propose_and_check, ranking
from modicum.agents.recorded import RecordedTeam, Row, recorded_team
from modicum.agents.trials import BudgetSpent, LearnedTeam, Trials
from modicum.calls import UserError


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    drop_count: int | None = None
    """Drop so many of the worst, as the other learners do; None: propose what the record shows to be safe."""
    by: str = ""
    """"own", "without", or the better of what the record allows; see `proposal.ranking`."""
    max_loss: float = 0.02
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
            worst = [agent for agent in ranking(report, self.by) if agent not in graph.protect]
            count = min(self.drop_count, len(worst), len(graph.agents) - 1)
            plan = drop_plan(blank_plan(recorded, Decision.REDUCE), worst[:count], report)
        assert plan.learned is not None  # noqa: S101 - blank_plan sets it
        learned = msgspec.structs.replace(
            plan.learned,
            learner="trace",
            trials_count=trials.trials_count if trials else 0,
            tokens_spent=trials.tokens_spent if trials else 0,
            parameters=msgspec.to_builtins(self),
        )
        order = ranking(report, self.by)
        return LearnedTeam(
            plan=msgspec.structs.replace(plan, learned=learned),
            weights=[[float(order.index(agent)) for agent in graph.agents]] * graph.rounds,
            prompt_tokens=trials.prompt_tokens if trials else 0,
            completion_tokens=trials.completion_tokens if trials else 0,
            trials_count=trials.trials_count if trials else 0,
            budget_spent=spent,
        )


def record(graph: TeamGraph, trials: Trials | None) -> tuple[RecordedTeam, bool]:
    """Runs the full team once on every task, or until the budget is spent."""
    if trials is None:
        raise UserError("the learner 'trace' needs recorded runs, or tasks and a runner to record some")
    full = Plan(
        schema=SCHEMA,
        team="",
        decision=Decision.KEEP_ALL,
        agents=graph.agents,
        rounds=graph.rounds,
        canary_share=0,
        learned=Learned(learner="trace"),
    )
    rows: list[tuple[int, Row]] = []
    spent = False
    for number in range(len(trials.tasks)):
        try:
            done, score = trials.next(full)
        except BudgetSpent:
            spent = True
            break
        run = f"run-{number}"
        rows += [(len(rows), msgspec.structs.replace(row, run=run, team="")) for row in done.rows]
        rows.append((len(rows), Row(run=run, answer=done.answer, outcome=score)))
    return recorded_team(rows, path="the runs of this fit", graph=graph)[0], spent
