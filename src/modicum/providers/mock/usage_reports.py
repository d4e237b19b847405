"""Usage and cost reports of the mock provider, as OpenAI and Anthropic give them to administrators: of its own calls.

Shapes as of November 2026: types of OpenAI's client 3.54 (admin.organization.usage), and
platform.claude.com/docs/en/build-with-claude/usage-cost-api.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from modicum.calls import Usage
from modicum.calls.usage import sum_usages
from modicum.providers.body_parsing import encode
from modicum.providers.mock.provider import JSON, MockReply

MOST_BUCKETS, USUAL_BUCKETS = 31, 7
_PATHS = {
    "/v1/organization/usage/completions": ("openai", "completions"),
    "/v1/organization/usage/embeddings": ("openai", "embeddings"),
    "/v1/organization/costs": ("openai", "costs"),
    "/v1/organizations/usage_report/messages": ("anthropic", "messages"),
    "/v1/organizations/cost_report": ("anthropic", "costs"),
}
_KEY_BEGINS = {"openai": "sk-admin", "anthropic": "sk-ant-admin"}

Price = Callable[[str, str, Usage, datetime], Decimal | None]
"""What a call of a provider and model costs in dollars; None: unknown, and then it is in no cost report."""


class _Counted(NamedTuple):
    """A call."""

    at: datetime
    provider: str
    model: str
    key: str
    usage: Usage
    usd: Decimal | None


class MockReports:
    """Counts calls and reports them by day.

    Args:
        price: what a call costs.
    """

    def __init__(self, price: Price) -> None:
        self._price = price
        self._calls: list[_Counted] = []

    def count(self, provider: str, model: str, key: str, usage: Usage, at: datetime) -> None:
        """Takes in a call. `key`: with which it was made; shown as an id alone."""
        usd = self._price(provider, model, usage, at)
        self._calls.append(_Counted(at, provider, model, key_id(key), usage, usd))

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> MockReply | None:
        """A page of a report; None: another path."""
        provider, report = _PATHS.get(path, ("", ""))
        if not provider or method != "GET":
            return None
        sent = headers.get("x-api-key", "") or headers.get("authorization", "").removeprefix("Bearer ")
        if not sent:
            return _error(401, "no key was sent")
        if not sent.startswith(_KEY_BEGINS[provider]):
            return _error(403, f"this is no administrator's key: here they begin with '{_KEY_BEGINS[provider]}'")
        try:
            return self._page(provider, report, parse_qsl(query))
        except (KeyError, ValueError, OverflowError, OSError) as wrong:
            return _error(400, f"the question cannot be understood: {wrong}")

    def _page(self, provider: str, report: str, query: Sequence[tuple[str, str]]) -> MockReply:
        words = dict(query)
        groups = {word for name, word in query if name.removesuffix("[]") == "group_by"}
        first, end = _span(provider, words)
        start = first + timedelta(days=int(words.get("page", "page_0").removeprefix("page_")))
        most = int(words.get("limit", USUAL_BUCKETS))
        if not 1 <= most <= MOST_BUCKETS:
            raise ValueError(f"limit is 1 to {MOST_BUCKETS}")
        last = min(start + timedelta(days=most), end)
        buckets = [
            self._bucket(provider, report, start + timedelta(days=n), groups) for n in range((last - start).days)
        ]
        following = f"page_{(last - first).days}" if last < end else None
        page = {"object": "page", "data": buckets, "has_more": last < end, "next_page": following}
        return MockReply(200, JSON, (encode(page),))

    def _bucket(self, provider: str, report: str, day: date, groups: set[str]) -> dict[str, Any]:
        begins = datetime.combine(day, time(), UTC)
        ends = begins + timedelta(days=1)
        calls = [one for one in self._calls if one.provider == provider and begins <= one.at < ends]
        if report in {"completions", "embeddings"}:
            calls = [one for one in calls if ("embedding" in one.model) is (report == "embeddings")]
        results = [_RESULTS[provider, report](key, group, groups) for key, group in _grouped(calls, report, groups)]
        if provider == "openai":
            times = {"start_time": int(begins.timestamp()), "end_time": int(ends.timestamp())}
            return {"object": "bucket", **times, "results": results}
        return {
            "starting_at": f"{begins:%Y-%m-%dT%H:%M:%SZ}",
            "ending_at": f"{ends:%Y-%m-%dT%H:%M:%SZ}",
            "results": results,
        }


def key_id(key: str) -> str:
    """How a report names a key."""
    return f"key_{blake2b(key.encode(), digest_size=6).hexdigest()}"


def _span(provider: str, words: Mapping[str, str]) -> tuple[date, date]:
    """From which day, until which."""
    if words.get("bucket_width", "1d") != "1d":
        raise ValueError("this provider has buckets of a day")
    today = datetime.now(UTC).date() + timedelta(days=1)
    if provider == "openai":
        first, last = words["start_time"], words.get("end_time")
        begins = datetime.fromtimestamp(int(first), UTC).date()
        return begins, datetime.fromtimestamp(int(last), UTC).date() if last else today
    first, last = words["starting_at"], words.get("ending_at")
    begins = datetime.fromisoformat(first).astimezone(UTC).date()
    return begins, datetime.fromisoformat(last).astimezone(UTC).date() if last else today


def _grouped(
    calls: Sequence[_Counted], report: str, groups: set[str]
) -> Iterator[tuple[tuple[str | None, str | None], list[_Counted]]]:
    by_model = bool(groups & {"model", "line_item", "description"})
    by_key = "api_key_id" in groups and report != "costs"
    found: dict[tuple[str | None, str | None], list[_Counted]] = {}
    for one in calls:
        found.setdefault((one.model if by_model else None, one.key if by_key else None), []).append(one)
    yield from found.items()


def _openai_usage(key: tuple[str | None, str | None], calls: Sequence[_Counted], _groups: set[str]) -> dict[str, Any]:
    usage = sum_usages(one.usage for one in calls)
    kind = "embeddings" if calls and "embedding" in calls[0].model else "completions"
    counts = {"input_tokens": usage.prompt_tokens, "num_model_requests": len(calls)}
    if kind == "completions":
        counts |= {"input_cached_tokens": usage.cache_read_tokens, "output_tokens": usage.completion_tokens}
    names = {"project_id": None, "user_id": None, "api_key_id": key[1], "model": key[0], "batch": None}
    return {"object": f"organization.usage.{kind}.result", **counts, **names}


def _openai_cost(key: tuple[str | None, str | None], calls: Sequence[_Counted], groups: set[str]) -> dict[str, Any]:
    item = f"{key[0]}, tokens" if "line_item" in groups else None
    amount = {"value": float(_sum_usd(calls)), "currency": "usd"}
    return {"object": "organization.costs.result", "amount": amount, "line_item": item, "project_id": None}


def _anthropic_usage(
    key: tuple[str | None, str | None], calls: Sequence[_Counted], _groups: set[str]
) -> dict[str, Any]:
    usage = sum_usages(one.usage for one in calls)
    return {
        "uncached_input_tokens": usage.input_uncached,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.completion_tokens,
        "server_tool_use": {"web_search_requests": 0},
        "model": key[0],
        "api_key_id": key[1],
    } | dict.fromkeys(("workspace_id", "service_tier", "context_window"))


def _anthropic_cost(key: tuple[str | None, str | None], calls: Sequence[_Counted], groups: set[str]) -> dict[str, Any]:
    described = "description" in groups
    return {
        "amount": f"{_sum_usd(calls) * 100:f}",
        "currency": "USD",
        "cost_type": "tokens" if described else None,
        "description": f"{key[0]} Usage" if described else None,
        "model": key[0],
        "workspace_id": None,
    }


def _sum_usd(calls: Sequence[_Counted]) -> Decimal:
    return sum((one.usd for one in calls if one.usd is not None), Decimal(0))


_RESULTS: Mapping[
    tuple[str, str], Callable[[tuple[str | None, str | None], Sequence[_Counted], set[str]], dict[str, Any]]
] = {
    ("openai", "completions"): _openai_usage,
    ("openai", "embeddings"): _openai_usage,
    ("openai", "costs"): _openai_cost,
    ("anthropic", "messages"): _anthropic_usage,
    ("anthropic", "costs"): _anthropic_cost,
}


def _error(status: int, message: str) -> MockReply:
    return MockReply(status, JSON, (encode({"error": {"message": message, "type": "invalid_request_error"}}),))
