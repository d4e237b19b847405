"""How OpenAI and Anthropic are asked for their reports: paths, questions, keys of administrators, and pages.

As of November 2026: the types of OpenAI's client 3.54 (`admin.organization.usage`: `group_by[]`, at most 31 days a
page), and platform.claude.com/docs/en/build-with-claude/usage-cost-api.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple
from urllib.parse import urlencode

PROVIDERS = ("openai", "anthropic")
ADDRESSES = {"openai": "https://api.openai.com", "anthropic": "https://api.anthropic.com"}
KEY_PLACES = {"openai": "env:OPENAI_ADMIN_KEY", "anthropic": "env:ANTHROPIC_ADMIN_API_KEY"}
"""Where the key of an administrator is, unless somebody says."""
MOST_DAYS = 31
"""That a page may have."""


class ReportRequest(NamedTuple):
    """One report that is asked for."""

    name: str
    """As a file of its pages may be called."""
    path: str
    fields: tuple[tuple[str, str], ...]

    def target(self, page: str = "") -> str:
        """Path and query of a page; empty: of the first."""
        return f"{self.path}?{urlencode((*self.fields, *((('page', page),) if page else ())))}"


def report_requests(provider: str, first: date, until: date, *, with_keys: bool) -> list[ReportRequest]:
    """Usage and costs by day and model of the days from `first`, before `until`.

    Args:
        provider: one of `PROVIDERS`.
        first: in UTC, as `until`, which is not included.
        until: the first day that is not asked for.
        with_keys: whether usage is to be by key as well; costs are not.
    """
    begins, ends = (datetime.combine(day, time(), UTC) for day in (first, until))
    groups = [("group_by[]", "model"), *([("group_by[]", "api_key_id")] if with_keys else [])]
    page = (("bucket_width", "1d"), ("limit", f"{MOST_DAYS}"))
    if provider == "openai":
        span = (("start_time", f"{begins.timestamp():.0f}"), ("end_time", f"{ends.timestamp():.0f}"))
        usage = [
            ReportRequest(f"openai-{kind}", f"/v1/organization/usage/{kind}", (*span, *page, *groups))
            for kind in ("completions", "embeddings")
        ]
        costs = (*span, *page, ("group_by[]", "line_item"))
        return [*usage, ReportRequest("openai-costs", "/v1/organization/costs", costs)]
    span = (("starting_at", f"{begins:%Y-%m-%dT%H:%M:%SZ}"), ("ending_at", f"{ends:%Y-%m-%dT%H:%M:%SZ}"))
    costs = (*span, *page, ("group_by[]", "description"))
    return [
        ReportRequest("anthropic-usage-report", "/v1/organizations/usage_report/messages", (*span, *page, *groups)),
        ReportRequest("anthropic-costs", "/v1/organizations/cost_report", costs),
    ]


def admin_headers(provider: str, key: str) -> dict[str, str]:
    """What is sent with each."""
    if provider == "openai":
        return {"authorization": f"Bearer {key}"}
    return {"x-api-key": key, "anthropic-version": "2023-06-01"}


def next_page(page: Mapping[str, Any]) -> str:
    """The mark of the page behind it; empty: it is the last."""
    mark = page.get("next_page")
    return mark if isinstance(mark, str) and page.get("has_more") is not False else ""
