"""Details of findings as sentences; a detail without one of its own is its name and its figure."""

import re
from typing import Any

from modicum.calls.words.percentages import percent
from modicum.reports.charts import format_usd

_FORMS = re.compile(r"(\w+)\|(\w+)")
_SENTENCES = {
    "blocks": "{} block|blocks stood twice in one context",
    "cap_tokens": "results above {} token|tokens count as long",
    "failed_calls_free": "{} more call|calls failed and was|were not charged",
    "failed_results": "{} tool call|calls failed",
    "failed_share": "that is {} of all tool calls",
    "first_prompt_median_tokens": "half of all conversations begin with more than {} token|tokens",
    "longest_pause_s": "the longest pause was {}",
    "loops_of_one": "{} loop|loops of one call again and again",
    "loops_of_several": "{} loop|loops of several calls in turn",
    "no_cause_on_record_calls": "{} break|breaks has|have no cause on record",
    "priority_calls": "{} call|calls went through the priority lane",
    "priority_usd": "the priority lane cost {}",
    "reads": "{} read|reads brought a file that stood in the context already",
    "reasoning_share_of_output": "{} of the output was reasoning",
    "results": "{} result|results was|were long",
    "results_judged": "{} long result|results could be judged",
    "results_not_judged": "{} long result|results came too late in the conversation to be judged",
    "results_trimmed": "{} of them could have been shorter",
    "results_unread": "{} of them nothing referred to",
    "rounds_between_agents": "agents sent each other the same {} time|times",
    "share_of_cost_with_outcome": "{} of the cost is of tasks whose outcome is known",
    "storms": "{} time|times calls failed in quick succession",
    "storms_with_backoff": "{} of these storms slowed down",
    "tasks": "{} task|tasks",
    "tasks_failed": "{} task|tasks failed",
    "tasks_with_outcome": "the outcome of {} task|tasks is known",
    "tools_shown": "{} tool|tools was|were described",
    "tools_unused": "{} of them was|were never called",
    "unread_share": "{} of the judged tokens were never referred to",
}
"""Where a word depends on the number, both of its forms: that of one, and that of several."""


def describe_detail(name: str, value: Any) -> str:
    """One detail of a finding, to be read."""
    figure = _format(name, value)
    if sentence := _SENTENCES.get(name):
        number = 1 if value == 1 else 2
        return _FORMS.sub(lambda forms: forms[number], sentence).format(figure)
    return f"{name.removesuffix('_s').removesuffix('_usd').replace('_', ' ')}: {figure}"


def _format(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if "share" in name:
        return percent(value)
    if name.endswith("_s"):
        return f"{value / 60:,.0f} min" if value >= 120 else f"{value:,.0f} s"
    return format_usd(value) if name.endswith("_usd") else f"{value:,.0f}"
