"""Kinds of waste, one file each, holding `find(history) -> Finding`. To add a kind is to add a file and its line."""

from functools import cache
from importlib import import_module

from modicum.insights.finding import Detector

FINDINGS = (
    "failed_calls",
    "duplicate_requests",
    "uncached_prefix",
    "prefix_break",
    "ttl_expiry",
    "unread_writes",
    "duplicate_context",
    "reread_files",
    "unread_results",
    "carried_results",
    "unused_tools",
    "fixed_overhead",
    "loops",
    "failed_tools",
    "cost_of_failure",
    "oversized_models",
    "excess_output",
    "wrong_lane",
    "idle_commitments",
)
"""Every finding, in the order in which marginal savings are counted: what was never needed first, what may have been
last."""


@cache
def load_detector(name: str) -> Detector:
    """The finding of that name, loaded when it is first asked for.

    Raises:
        KeyError: there is none.
    """
    if name not in FINDINGS:
        raise KeyError(name)
    found: Detector = import_module(f"modicum.insights.findings.{name}").find
    return found
