"""What `modicum team` prints: reports and plans as tables for people."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli.terminal.output import count, dollars_of, print_json, print_table

if TYPE_CHECKING:
    from modicum.agents.attribution import IntervalEstimate, TeamAttribution
    from modicum.agents.early_exit import ExitCurve
    from modicum.agents.from_ledger import AgentCost
    from modicum.agents.plan_rules import Evidence, Learned
    from modicum.agents.recordings import RecordedTeam
    from modicum.agents.team_plan import TeamPlan
    from modicum.agents.verification import Verification


def _format_change(found: "IntervalEstimate | None") -> str:
    return "" if found is None else f"{found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f})"


def _format_share(value: float | None) -> str:
    return "" if value is None else percent(value)


def print_attribution(report: "TeamAttribution", costs: "Mapping[str, AgentCost] | None" = None) -> None:
    score = f", score {report.score.value:.3f}" if report.score else ""
    title = f"{report.team or 'team'}: {number_of(report.runs_count, 'run')}, {report.graded_count} graded{score}"
    columns = ["agent", "turns", "calls", "tokens", "no answer", "repeats", "own score", "vote without it"]
    rows = [
        [
            one.agent,
            count(one.turns_count),
            _format_share(one.calls_share),
            _format_share(one.token_share),
            _format_share(one.abstained_share),
            _format_share(one.repeats_share),
            "" if one.own_score is None else f"{one.own_score.value:.3f}",
            _format_change(one.without),
        ]
        for one in report.per_agent
    ]
    if costs is not None:
        columns.insert(4, "per turn")
        for row in rows:
            row.insert(4, _format_cost_per_turn(costs.get(row[0])))
    print_table(columns, rows, title=title)
    edges = [one for one in report.edges if one.tokens][:10]
    if edges:
        print_table(
            ["from", "to", "kind", "reads", "tokens", "share", "became right", "became wrong"],
            [
                [
                    one.source,
                    one.reader,
                    one.kind,
                    count(one.reads_count) + ("?" if one.assumed_count else ""),
                    count(one.tokens) + ("" if one.tokens_basis == "exact" else "~"),
                    _format_share(one.token_share),
                    count(one.moved_right),
                    count(one.moved_wrong),
                ]
                for one in edges
            ],
            title=f"who reads whom, most tokens first ({len(edges)} of {number_of(len(report.edges), 'edge')})",
            left=3,
        )
        if any(one.assumed_count for one in edges):
            click.echo(
                "? assumed: the record does not say who read whom, so whoever may have been read is taken for read"
            )
        if any(one.tokens_basis != "exact" for one in edges):
            click.echo("~ assumed: the record does not say how many tokens were read, so the words are taken in full")


def _format_cost_per_turn(cost: "AgentCost | None") -> str:
    """Dollars; a star where only some turns have a known cost."""
    if cost is None:
        return "unknown"
    return dollars_of(cost.cost_per_turn_usd) + ("*" if 0 < cost.turns_priced < cost.turns_count else "")


def print_edits(rows: "Sequence[Mapping[str, Any]]") -> None:
    if not rows:
        click.echo("no plan changed a call in that time: see 'Without touching code' in docs/teams.md")
        return
    print_table(
        ["team", "rule", "calls", "not made", "prompt tokens before", "after"],
        [
            [
                row["agent_team"],
                row["rule"],
                count(row["calls"]),
                count(row["calls_spared"]),
                count(int(row["tokens_before"])),
                count(int(row["tokens_after"])),
            ]
            for row in rows
        ],
        title="what plans changed; tokens are estimated",
        left=2,
    )


def print_curve(points: "ExitCurve") -> None:
    if not points.points:
        return
    columns = ["stop when", "saved", "score", "change in points", "95 % interval"]
    rows = [
        [
            f"{one.agree} of {one.of} agree" + (" *" if one == points.recommended else ""),
            _format_share(one.saved_share),
            "unknown" if one.score is None else f"{one.score:.3f}",
            "" if one.change is None else f"{100 * one.change:+.1f}",
            _format_interval(one.change_low, one.change_high),
        ]
        for one in points.points
    ]
    if any(one.ungraded_count for one in points.points):
        columns.append("not graded")
        for row, one in zip(rows, points.points, strict=True):
            row.append(count(one.ungraded_count))
    full = "" if points.score_full is None else f", full team {points.score_full:.3f}"
    print_table(
        columns, rows, title=(f"early exit, replayed over {number_of(points.runs_count, 'run')}{full} (* recommended)")
    )
    if points.left_out_count:
        click.echo(
            f"{number_of(points.left_out_count, 'more run is', 'more runs are')} in no row: under some rule their "
            "answer cannot be graded"
        )


def _format_interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{100 * low:+.1f} to {100 * high:+.1f}"


def print_plan(plan: "TeamPlan") -> None:
    rows: list[list[str]] = [["decision", plan.decision.replace("_", " ")], ["why", plan.why]]
    rows += [["drop", f"{one.agent} in {_format_round(one.round)}: {one.why}"] for one in plan.drop]
    rows += [
        ["mute", f"{one.source} to {one.reader}, {one.kind or 'both kinds'}, {_format_round(one.round)}"]
        for one in plan.mute[:20]
    ]
    rows += [["mute", f"... and {len(plan.mute) - 20} more"]] if len(plan.mute) > 20 else []
    rows += [["substitute", f"{one.agent} on {one.model}"] for one in plan.substitute]
    if plan.early_exit:
        first = f", asking {', '.join(plan.early_exit.first)} first" if plan.early_exit.first else ""
        rows.append(["early exit", f"when {plan.early_exit.agree} of {plan.early_exit.of} agree{first}"])
    if plan.stop_after_round:
        rows.append(["stop", f"after round {plan.stop_after_round}"])
    rows += [["evidence", _format_evidence(plan.evidence)]] if plan.evidence else []
    rows.append(["verified", _format_evidence(plan.verified) if plan.verified else "no: run 'modicum team verify'"])
    if plan.learned:
        rows.append(
            [
                "learned",
                _format_learning(plan.learned),
            ]
        )
    rows.append(["canaries", _format_canaries(plan)])
    rows.append(["expires", _format_expiry(plan)])
    print_table(["", plan.team or "team"], rows, left=2)


def _format_canaries(plan: "TeamPlan") -> str:
    """What they can find, and after how many runs."""
    if not plan.canary_share:
        return "none: nothing is noticed while the plan is in use"
    from modicum.experiments.canary import findable_losses

    shown = plan.verified or plan.evidence
    score = shown.score_full if shown else 0.5
    losses = ", ".join(f"{100 * one.loss:g} points after {one.runs:,}" for one in findable_losses(score) if one.runs)
    from_score = f"from a score of {score:.2f}" if shown else "from a score of 0.50, the slowest, as none is known"
    return (
        f"{percent(plan.canary_share, None)} of runs, up to half where a loss is suspected; a loss is noticed, in "
        f"about 4 of 5 cases, {from_score}: {losses} graded runs"
    )


def _format_expiry(plan: "TeamPlan") -> str:
    why = plan.full_because()
    return f"{plan.expires}: {why}, the full team runs" if why else plan.expires or "never"


def _format_learning(one: "Learned") -> str:
    runs = (
        f"{one.runs_count} recorded runs and {number_of(one.trials_count, 'trial')} "
        f"({number_of(one.tokens_spent, 'token')})"
    )
    return f"by {one.learner} from {runs}"


def _format_round(number: int | None) -> str:
    return "every round" if number is None else f"round {number}"


def _format_evidence(one: "Evidence") -> str:
    saved = one.tokens_saved_share if one.tokens_saved_share is not None else one.calls_saved_share
    what = "tokens" if one.tokens_saved_share is not None else "calls"
    text = f"{one.basis} of {number_of(one.tasks_count, 'task')}: score {one.score_full:.3f} to {one.score_plan:.3f}, "
    text += f"{100 * one.change:+.1f} points ({100 * one.change_low:+.1f} to {100 * one.change_high:+.1f})"
    text += f", {percent(saved)} fewer {what}" if saved is not None else ""
    return text + ("" if one.exact else "; a bound") + (f"; {one.note}" if one.note else "")


def print_replay(plan: "TeamPlan", team: "RecordedTeam", margin: float, confidence: float, *, as_json: bool) -> None:
    from modicum.agents.replay import replay

    if not team.graded:
        raise UserError(
            "no recorded run has an outcome or a gold answer, so nothing can be compared: see docs/teams.md"
        )
    replayed = replay(plan, team)
    evidence = replayed.evidence(margin, confidence)
    if as_json:
        print_json(evidence)
        return
    click.echo(_format_evidence(evidence))
    if not replayed.changed:
        click.echo("the plan changes nothing in these runs")
        return
    if was_learned_from(plan, team):
        click.echo("the plan was learned from these runs, or from half of them: check it on other runs")
    if not evidence.exact:
        click.echo(
            f"only new runs show whether it loses more than {100 * margin:.1f} points: the other agents had read"
        )
        click.echo("what the plan removes. Run it with --runner and --tasks, or record it for --plan-runs")
        return
    held = evidence.change_low >= -margin
    click.echo(f"a loss of more than {100 * margin:.1f} points is {'ruled out' if held else 'not ruled out'}")
    _print_proven_loss(evidence)


def _print_proven_loss(evidence: "Evidence") -> None:
    """A loss within the margin is a loss all the same."""
    if evidence.change_high < 0:
        click.echo(
            f"the plan does lose: {100 * evidence.change:+.1f} points "
            f"[{100 * evidence.change_low:+.1f}, {100 * evidence.change_high:+.1f}]"
        )


def was_learned_from(plan: "TeamPlan", team: "RecordedTeam") -> bool:
    """Whether the plan was learned from these runs, or from the half of them that `propose` learns from."""
    from modicum.agents.proposal import digest_recording, split_in_halves

    return plan.learned is not None and plan.learned.data_digest in {
        digest_recording(team),
        digest_recording(split_in_halves(team)[0]),
    }


def _format_tokens(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.0f}"


def print_verification(found: "Verification", *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    rows = []
    for arm in found.arms:
        against = arm.against_full
        change = "" if against is None else f"{100 * against.change:+.1f}"
        interval = "" if against is None else f"{100 * against.change_low:+.1f} to {100 * against.change_high:+.1f}"
        saved = "" if against is None else _format_share(against.tokens_saved_share)
        rows.append(
            [
                arm.arm,
                f"{arm.score:.3f}",
                change,
                interval,
                _format_tokens(arm.prompt_tokens),
                _format_tokens(arm.completion_tokens),
                saved,
            ]
        )
    level = f"{percent(found.evidence.confidence, None)} interval"
    columns = ["", "score", "change in points", level, "prompt tokens", "completion tokens", "tokens saved"]
    print_table(columns, rows, title=number_of(found.arms[0].tasks_count, "task"))
    click.echo(f"verdict for a margin of {100 * found.margin:.1f} points: {found.verdict}")
    _print_proven_loss(found.evidence)
    if found.evidence.note:
        click.echo(f"take the interval with care: {found.evidence.note}")
    if found.tasks_needed:
        click.echo(f"tasks needed for a verdict: about {found.tasks_needed:,}")
    if found.learning_tokens:
        even = number_of(found.break_even_tasks, "task") if found.break_even_tasks is not None else "never"
        click.echo(f"learning used {number_of(found.learning_tokens, 'token')}; the plan saves as many after: {even}")
