"""Plans and printed examples that the adapters' tests share."""

import ast
import contextlib
import io
from pathlib import Path

from modicum.agents.plan_rules import Decision, Drop, Mute
from modicum.agents.team_plan import SCHEMA, TeamPlan


def plan(agents, *, rounds=1, drop=(), mute=(), **fields):
    return TeamPlan(
        schema=SCHEMA,
        team="test",
        decision=Decision.REDUCE,
        agents=tuple(agents),
        rounds=rounds,
        drop=tuple(Drop(agent=name, round=number) for name, number in drop),
        mute=tuple(Mute(source=source, reader=reader) for source, reader in mute),
        canary_share=0,
        **fields,
    )


def run_example(framework):
    """Runs what docs/frameworks.md prints for a framework; what its last line of output says."""
    text = (Path(__file__).parents[2] / "docs" / "frameworks.md").read_text()
    section = text.split(f"\n## {framework}\n")[1].split("\n## ")[0]
    code = section.split("```python\n")[1].split("```")[0]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, f"docs/frameworks.md: {framework}", "exec"), {"__name__": "__main__"})  # noqa: S102 - as a reader would
    return ast.literal_eval(printed.getvalue().splitlines()[-1])
