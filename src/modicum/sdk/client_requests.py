"""What the wrappers of official clients share: a request goes through the rules, and on its way whatever happens."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from modicum.calls.containment import contain, failure_place
from modicum.optimizers.rule_choice import RuleChoice
from modicum.sdk.optimizing import OptimizedRequest, choose_rules, optimize_request

OnReport = Callable[[OptimizedRequest], object]
"""Is called with what became of a request, before it is sent."""
_log = logging.getLogger("modicum")


class RequestRules:
    """Rules on the requests of one client.

    Args:
        choice: which rules run; None: those that lose nothing.
        task: what the calls are made for; it decides what is held out of the choice.
        on_report: is called with what became of each request.
    """

    def __init__(self, choice: RuleChoice | None = None, *, task: str = "", on_report: OnReport | None = None) -> None:
        self._choice = choice or choose_rules()
        self._task, self._on_report = task, on_report

    def apply(self, fields: Mapping[str, Any], api: str) -> Mapping[str, Any]:
        """The fields as the rules left them. If anything fails, those that were given."""
        result = None
        with contain(_log_failure):
            result = optimize_request(fields, api, self._choice, task=self._task)
        if result is None:
            return fields
        if self._on_report is not None:
            with contain(_log_failure):
                self._on_report(result)
        return result.fields


def _log_failure(error: Exception) -> None:
    _log.warning("rules failed with %s at %s; the request goes as it came", type(error).__name__, failure_place(error))
