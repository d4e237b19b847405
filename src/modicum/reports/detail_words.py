"""Details of findings as sentences; a detail without one of its own is its name and its figure."""

from typing import Any

from modicum.reports.charts import format_usd

_SENTENCES = {
    "blocks": "{} blocks stood twice in one context",
    "cap_tokens": "results above {} tokens count as long",
    "failed_calls_free": "{} more calls failed and were not charged",
    "failed_results": "{} tool calls failed",
    "failed_share": "that is {} of all tool calls",
    "first_prompt_median_tokens": "half of all conversations begin with more than {} tokens",
    "longest_pause_s": "the longest pause was {}",
    "loops_of_one": "{} loops of one call again and again",
    "loops_of_several": "{} loops of several calls in turn",
    "no_cause_on_record_calls": "{} breaks have no cause on record",
    "priority_calls": "{} calls went through the priority lane",
    "priority_usd": "the priority lane cost {}",
    "reads": "{} reads brought a file that stood in the context already",
    "reasoning_share_of_output": "{} of the output was reasoning",
    "results": "{} results were long",
    "results_judged": "{} long results could be judged",
    "results_not_judged": "{} long results came too late in their conversation to be judged",
    "results_trimmed": "{} of them could have been shorter",
    "results_unread": "{} of them nothing referred to",
    "rounds_between_agents": "agents sent each other the same {} times",
    "share_of_cost_with_outcome": "{} of the cost is of tasks whose outcome is known",
    "storms": "{} times calls failed in quick succession",
    "storms_with_backoff": "{} of these storms slowed down",
    "tasks": "{} tasks",
    "tasks_failed": "{} tasks failed",
    "tasks_with_outcome": "the outcome of {} tasks is known",
    "tools_shown": "{} tools were described",
    "tools_unused": "{} of them were never called",
    "unread_share": "{} of the judged tokens were never referred to",
}


def describe_detail(name: str, value: Any) -> str:
    """One detail of a finding, to be read."""
    figure = _format(name, value)
    if sentence := _SENTENCES.get(name):
        return sentence.format(figure)
    return f"{name.removesuffix('_s').removesuffix('_usd').replace('_', ' ')}: {figure}"


def _format(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if "share" in name:
        return f"{value:.1%}"
    if name.endswith("_s"):
        return f"{value / 60:,.0f} min" if value >= 120 else f"{value:,.0f} s"
    return format_usd(value) if name.endswith("_usd") else f"{value:,.0f}"
