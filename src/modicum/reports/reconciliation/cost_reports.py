"""Providers' cost reports: what they charged by day, as their organisation APIs give it.

OpenAI, `/v1/organization/costs`: buckets of a day with `results[].amount.value` in dollars; `line_item` begins with the
model where the report was grouped by it. Anthropic, `/v1/organizations/cost_report`: `results[].amount` is a text of
cents; `model` where the report was grouped by description. Shapes as documented in November 2026
(developers.openai.com/api/reference, platform.claude.com/docs/en/api/admin). Anthropic calls its report legacy since
autumn 2026, beside an analytics API; that one is not read.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

CENTS = Decimal(100)
MOST_AMOUNT = Decimal(10**12)


class CostLine(NamedTuple):
    """What a provider charged on a day."""

    day: date
    """In UTC."""
    provider: str
    model: str
    """Empty: the report does not say."""
    usd: Decimal


def is_cost_report(page: Mapping[str, Any]) -> bool:
    """Whether a page holds buckets of costs."""
    for bucket in _listed(page.get("data")):
        for result in _listed(bucket.get("results")):
            return "amount" in result
    return False


def is_empty_page(page: Mapping[str, Any]) -> bool:
    """Whether it is a page of buckets of either report with no row in them: nothing was used, or charged, in its time.

    Nothing in such a page says which report it is of, and nothing is to be counted.
    """
    buckets = page.get("data")
    return isinstance(buckets, list) and "has_more" in page and all(_is_empty_bucket(one) for one in buckets)


def _is_empty_bucket(bucket: object) -> bool:
    return (
        isinstance(bucket, Mapping)
        and bucket.get("results") == []
        and ("start_time" in bucket or "starting_at" in bucket)
    )


def parse_cost_page(page: Mapping[str, Any]) -> Iterator[CostLine | str]:
    """The lines of a page; a text says why a result is not counted."""
    for bucket in _listed(page.get("data")):
        for result in _listed(bucket.get("results")):
            try:
                yield _line(bucket, result)
            except (ValueError, InvalidOperation, TypeError, OverflowError, OSError) as error:
                yield f"not counted: {str(error) or type(error).__name__}"


def sum_cost_lines(lines: Iterable[CostLine]) -> dict[tuple[date, str, str], Decimal]:
    """Dollars by day, provider and model."""
    sums: dict[tuple[date, str, str], Decimal] = {}
    for line in lines:
        key = line.day, line.provider, line.model
        sums[key] = sums.get(key, Decimal(0)) + line.usd
    return sums


def _line(bucket: Mapping[str, Any], result: Mapping[str, Any]) -> CostLine:
    amount = result.get("amount")
    if isinstance(amount, Mapping):  # OpenAI
        _check_currency(amount.get("currency"))
        day = datetime.fromtimestamp(float(bucket["start_time"]), UTC).date()
        item = str(result.get("line_item") or "")
        return CostLine(day, "openai", item.partition(",")[0].strip(), _amount(amount.get("value")))
    _check_currency(result.get("currency", "USD"))
    text = bucket.get("starting_at")
    if not isinstance(text, str):
        raise ValueError("the bucket has no time")  # noqa: TRY004 - bad data
    day = datetime.fromisoformat(text).astimezone(UTC).date()
    return CostLine(day, "anthropic", str(result.get("model") or ""), _amount(amount) / CENTS)


def _amount(value: Any) -> Decimal:
    amount = Decimal(str(value))
    if not amount.is_finite():
        raise ValueError("the amount is no number")
    if abs(amount) > MOST_AMOUNT:
        raise ValueError(f"the amount is above {MOST_AMOUNT:,}, which nobody is charged on a day")
    return amount


def _check_currency(name: Any) -> None:
    if str(name).upper() != "USD":
        raise ValueError(f"the amount is in {name!s:.10}, and not in USD")


def _listed(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
