"""A team before and after a plan, as SVG: who reads whom, and how many tokens that takes.

One ring of agents per panel; an arrow is as thick as its share of the tokens and carries their number. Plain shapes and
text, no script, nothing fetched.
"""

from collections import defaultdict
from math import cos, pi, sin

from modicum.agents.attribution import find_reads
from modicum.agents.plan_rules import EdgeKind
from modicum.agents.recordings import RecordedTeam
from modicum.agents.replay import check_team
from modicum.agents.team_plan import TeamPlan
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.reports import svg
from modicum.reports.escaping import escape
from modicum.reports.figures import format_tokens
from modicum.reports.svg import INK, QUIET

WIDTH, HEIGHT, RING, MIDDLE = 680, 640, 205, 345
FAINT, NODE, GONE = "#9aa5b1", "#2f6f9f", "#d9dee3"

Edges = dict[tuple[str, str], int]


def draw_team(team: RecordedTeam, plan: TeamPlan | None = None) -> str:
    """The picture. Without a plan: the team as recorded.

    Raises:
        UserError: the plan was made for other agents.
    """
    if plan is not None:
        check_team(plan, team)
    before, own_before = count_edge_tokens(team, None)
    panels = [_draw_panel(team, before, own_before, before, None, "as recorded", 0)]
    if plan is not None:
        after, own_after = count_edge_tokens(team, plan)
        panels.append(_draw_panel(team, after, own_after, before, plan, "under the plan", WIDTH))
    title = f"{team.name or 'team'}: tokens per message edge"
    return svg.document(WIDTH * len(panels), HEIGHT, title, panels)


def count_edge_tokens(team: RecordedTeam, plan: TeamPlan | None) -> tuple[Edges, dict[str, int]]:
    """Tokens that each agent's words took in each other's prompts, and completion tokens of each agent.

    Under a plan: without the turns and edges that it takes away, everything else as recorded.
    """
    edges: Edges = defaultdict(int)
    spoken: dict[str, int] = dict.fromkeys(team.graph.agents, 0)
    for run in team.runs:
        turns = {(turn.agent, turn.round): turn for turn in run.turns}
        for turn in run.turns:
            if plan and not plan.keeps(turn.agent, turn.round):
                continue
            spoken[turn.agent] += turn.completion_tokens or 0
            for read in find_reads(run, turn, team.graph):
                source = turns.get((read.agent, read.round))
                kind = EdgeKind.SPATIAL if read.round == turn.round else EdgeKind.TEMPORAL
                if source is None or read.agent == turn.agent:
                    continue
                if plan and not (
                    plan.keeps(read.agent, read.round) and plan.carries(read.agent, turn.agent, kind, turn.round)
                ):
                    continue
                edges[read.agent, turn.agent] += (
                    read.tokens if read.tokens is not None else source.completion_tokens
                ) or 0
    return dict(edges), spoken


def _draw_panel(
    team: RecordedTeam,
    edges: Edges,
    spoken: dict[str, int],
    all_edges: Edges,
    plan: TeamPlan | None,
    what: str,
    left: int,
) -> str:
    names = team.graph.agents
    place = {
        name: (WIDTH / 2 + RING * sin(2 * pi * index / len(names)), MIDDLE - RING * cos(2 * pi * index / len(names)))
        for index, name in enumerate(names)
    }
    most = max(all_edges.values(), default=0) or 1
    parts = [f'<g transform="translate({left} 0)">\n']
    parts += [svg.text(24, 30, f"{team.name or 'team'} {what}", size=17, bold=True)]
    uncounted = any(turn.completion_tokens is None for run in team.runs for turn in run.turns)
    note = "; some turns were not counted" if uncounted else ""
    parts += [svg.text(24, 50, _draw_summary(edges, spoken, all_edges) + note, fill=QUIET)]
    parts += [_draw_edge(place, edge, tokens, most) for edge, tokens in sorted(edges.items(), key=lambda item: item[1])]
    parts += [_draw_label(place, edge, tokens) for edge, tokens in edges.items()]
    parts += [_draw_node(place[name], name, spoken[name], plan, team.graph.rounds) for name in names]
    return "".join([*parts, _notes(plan), "</g>\n"])


def _draw_summary(edges: Edges, spoken: dict[str, int], all_edges: Edges) -> str:
    total = sum(edges.values())
    text = f"{format_tokens(sum(spoken.values()))} tokens written; {format_tokens(total)} tokens of others' words read"
    share = 1 - total / sum(all_edges.values()) if sum(all_edges.values()) else 0
    return f"{text} ({percent(share, 0)} less)" if share else text


def _draw_edge(place: dict[str, tuple[float, float]], edge: tuple[str, str], tokens: int, most: int) -> str:
    (x1, y1), (cx, cy), (x2, y2) = _curve(place, edge)
    width = 0.6 + 5 * tokens / most
    dx, dy = x2 - cx, y2 - cy
    length = (dx * dx + dy * dy) ** 0.5 or 1
    ux, uy, head = dx / length, dy / length, 5 + width
    tip = f"{x2:.1f},{y2:.1f} {x2 - head * ux + head / 2 * uy:.1f},{y2 - head * uy - head / 2 * ux:.1f} "
    tip += f"{x2 - head * ux - head / 2 * uy:.1f},{y2 - head * uy + head / 2 * ux:.1f}"
    return (
        f"<g><title>{escape(edge[0])} to {escape(edge[1])}: {number_of(tokens, 'token')}</title>"
        f'<path d="M{x1:.1f} {y1:.1f}Q{cx:.1f} {cy:.1f} {x2 - head * ux:.1f} {y2 - head * uy:.1f}" fill="none" '
        f'stroke="{FAINT}" stroke-width="{width:.1f}" stroke-opacity="0.75"/>'
        f'<polygon points="{tip}" fill="{FAINT}"/></g>\n'
    )


def _curve(
    place: dict[str, tuple[float, float]], edge: tuple[str, str]
) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float]]:
    """Ends at the rims of the two nodes, and a bend to the right, so that both directions are seen."""
    (x1, y1), (x2, y2) = place[edge[0]], place[edge[1]]
    dx, dy = x2 - x1, y2 - y1
    length = (dx * dx + dy * dy) ** 0.5 or 1
    ux, uy = dx / length, dy / length
    bend = 0.11 * length
    cx, cy = (x1 + x2) / 2 - bend * uy, (y1 + y2) / 2 + bend * ux
    return (x1 + 24 * ux - 6 * uy, y1 + 24 * uy + 6 * ux), (cx, cy), (x2 - 24 * ux - 6 * uy, y2 - 24 * uy + 6 * ux)


def _draw_label(place: dict[str, tuple[float, float]], edge: tuple[str, str], tokens: int) -> str:
    """Nearer to the reader than to the writer, so that labels of crossing arrows do not meet in the middle."""
    start, bend, end = _curve(place, edge)
    t = 0.7
    x = (1 - t) ** 2 * start[0] + 2 * t * (1 - t) * bend[0] + t**2 * end[0]
    y = (1 - t) ** 2 * start[1] + 2 * t * (1 - t) * bend[1] + t**2 * end[1]
    return svg.text(x, y + 3, format_tokens(tokens), size=10, anchor="middle", halo=True)


def _draw_node(at: tuple[float, float], name: str, tokens: int, plan: TeamPlan | None, rounds: int) -> str:
    gone = [number for number in range(1, rounds + 1) if plan and not plan.keeps(name, number)]
    all_gone = len(gone) == rounds
    note = (
        "dropped"
        if all_gone
        else f"not in round {', '.join(map(str, gone))}"
        if gone
        else f"{format_tokens(tokens)} written"
    )
    look = f'fill="{GONE}" stroke="{FAINT}" stroke-dasharray="4 3"' if all_gone else f'fill="{NODE}"'
    x, y, anchor = _caption(at)
    return (
        svg.circle(*at, 20, f'{look} fill-opacity="{0.55 if gone else 1}"')
        + svg.text(x, y, name, size=12, anchor=anchor, bold=True, fill=FAINT if all_gone else INK)
        + svg.text(x, y + 14, note, size=11, anchor=anchor, fill=QUIET)
    )


def _caption(at: tuple[float, float]) -> tuple[float, float, str]:
    """Where an agent's name goes: away from the ring, beside the agent or above or below it."""
    aside, below = at[0] - WIDTH / 2, at[1] - MIDDLE
    if abs(aside) > RING / 2 and abs(below) < 0.75 * RING:
        return at[0] + (28 if aside > 0 else -28), at[1] - 2, "start" if aside > 0 else "end"
    return at[0], at[1] + (38 if below > 0 else -42), "middle"


def _notes(plan: TeamPlan | None) -> str:
    if plan is None:
        return ""
    lines = []
    stop = plan.early_exit
    if stop:
        whom = f"{', '.join(stop.first)}" if stop.first else f"{stop.of}"
        lines.append(f"ask {whom} first; stop when {stop.agree} agree (not shown in the arrows)")
    if plan.stop_after_round:
        lines.append(f"stop after round {plan.stop_after_round}")
    return "".join(svg.text(24, HEIGHT - 12 - 16 * index, line, size=12) for index, line in enumerate(lines))
