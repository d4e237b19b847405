"""Alerts posted to the webhook: in order, each until it is taken, for a day at most. Nobody waits for it."""

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

import msgspec

from modicum.calls import UserError
from modicum.calls.containment import contain, failure_place
from modicum.governance.alerts import Alert
from modicum.ledger_process.watching.alert_log import DELIVERED, DROPPED, AlertLog, LoggedAlert
from modicum.outbound.client import Outbound
from modicum.outbound.hosts import AllowedHosts
from modicum.outbound.unreachable import Unreachable
from modicum.settings.governance.alerts import Webhook

LOOK_EVERY_S = 2.0
LONGEST_WAIT_S = 300.0
KEPT_FOR = timedelta(hours=24)
MOST_REFUSALS = 5
"""Answers of 4xx to one alert after which it is given up: it may be the alert that is not liked."""
TIMEOUT_S = 10.0
_AGAIN = frozenset({408, 425, 429})
"""Answers of 4xx that speak of the moment, and not of the alert."""


def document_of(alert: Alert, webhook: Webhook) -> dict[str, Any]:
    """What is posted."""
    link = f"{webhook.console}/{alert.view}" if webhook.console and alert.view else ""
    if webhook.body == "text":
        return {"text": f"modicum: {alert.text}{f' {link}' if link else ''}"}
    document = {"event": "alert", "kind": alert.kind, "at": alert.at, "text": alert.text, "facts": alert.facts}
    return document | {"link": link} if link else document


async def post_alert(outbound: Outbound, webhook: Webhook, alert: Alert) -> None:
    """Posts one alert.

    Raises:
        Unreachable: it was not taken; the message names the webhook's host alone.
    """
    headers = {**webhook.headers, "content-type": "application/json", "user-agent": f"modicum/{version('modicum')}"}
    try:
        await outbound.post(webhook.url, msgspec.json.encode(document_of(alert, webhook)), headers)
    except Unreachable as trouble:
        if trouble.status is not None and 200 <= trouble.status < 300:
            return
        reason = "does not answer" if trouble.status is None else f"answers with status {trouble.status}"
        raise Unreachable(f"{webhook.shown} {reason}", trouble.status, trouble.retry_after) from None


class AlertPost:
    """Takes alerts from their log and posts them.

    Args:
        report: takes a line when posting begins to fail, and when it goes on.
        dropped: counts alerts that were given up.
        failed: counts tries that failed.
    """

    def __init__(
        self,
        webhook: Webhook,
        alerts: AlertLog,
        report: Callable[[str], None],
        *,
        dropped: Callable[[int], None] = lambda _count: None,
        failed: Callable[[], None] = lambda: None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._webhook, self._alerts, self._report = webhook, alerts, report
        self._dropped, self._failed, self._chance = dropped, failed, chance
        self._failures = self._refusals = 0

    async def run(self) -> None:
        """Posts until it is cancelled."""
        async with Outbound(AllowedHosts([self._webhook.url]), timeout_s=TIMEOUT_S) as outbound:
            while True:
                wait_s = LONGEST_WAIT_S
                with contain() as work:
                    wait_s = await self.post_next(outbound)
                if work.error is not None:
                    problem = work.error
                    why = str(problem) if isinstance(problem, UserError) else failure_place(problem)
                    self._report(f"alerts cannot be posted: {why}")
                await asyncio.sleep(wait_s)

    async def post_next(self, outbound: Outbound) -> float:
        """Posts the oldest that waits; returns how long to wait for the next try."""
        waiting = await asyncio.to_thread(self._alerts.next_waiting)
        if waiting is None:
            return LOOK_EVERY_S
        try:
            await post_alert(outbound, self._webhook, waiting.alert)
        except Unreachable as trouble:
            return await self._wait_after(trouble, waiting)
        if self._failures:
            self._report(f"alerts go to {self._webhook.shown} again")
        self._failures = self._refusals = 0
        await asyncio.to_thread(self._alerts.mark, waiting.seq, DELIVERED)
        return 0.0

    async def _wait_after(self, trouble: Unreachable, waiting: LoggedAlert) -> float:
        self._failures += 1
        self._failed()
        if self._failures == 1:
            self._report(f"{trouble}: alerts wait, and are posted when they are taken again")
        status = trouble.status or 0
        self._refusals += 400 <= status < 500 and status not in _AGAIN
        is_old = datetime.now(UTC) - waiting.alert.at > KEPT_FOR
        if is_old or self._refusals >= MOST_REFUSALS:
            self._refusals = 0
            await asyncio.to_thread(self._alerts.mark, waiting.seq, DROPPED)
            self._dropped(1)
            self._report(f"an alert was given up ({trouble}): {waiting.alert.kind}")
        if trouble.retry_after.isdecimal():
            return min(float(trouble.retry_after[:6]), LONGEST_WAIT_S)
        # Half of it by chance, so that many gateways do not come back at once.
        return min(2.0 ** min(self._failures - 1, 10), LONGEST_WAIT_S) * (0.5 + self._chance() / 2)
