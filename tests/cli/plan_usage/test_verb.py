from datetime import UTC, datetime, timedelta

import pytest

from modicum.cli.plan_usage.verb import describe_forecast
from modicum.insights.plan_usage.windows import list_blocks
from modicum.settings import UserZone


def test_blocks_of_logs_and_ledger_are_the_same(modicum, transcripts):
    shown = modicum("blocks", transcripts)
    assert shown.status == 0
    assert "claude-code" in shown.out
    assert "list prices, not a plan's fee" in shown.out
    of_logs = modicum("blocks", transcripts, "--json", "--limit", "max").json
    modicum("import", transcripts)

    of_ledger = modicum("blocks", "--json", "--limit", "max").json

    assert of_ledger["blocks"] == of_logs["blocks"]
    assert of_ledger["weeks"] == of_logs["weeks"]
    assert max(one["share_of_limit"] for one in of_logs["blocks"]) == pytest.approx(1.0)
    assert modicum("blocks", transcripts, "--csv").out.startswith("window,source,begins")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--limit", "much"), "write dollars, as --limit 50"),
        (("--week-limit", "-1"), "write dollars"),
        (("--limit", "nan"), "write dollars"),
        (("--week-begins", "noon"), "write 'thu 14:00'"),
        (("--model", "none-such"), "no call has the model 'none-such'"),
    ],
)
def test_mistakes_are_one_line(modicum, transcripts, options, reason):
    wrong = modicum("blocks", transcripts, *options)

    assert wrong.status == 2
    assert reason in wrong.err


def test_an_empty_ledger_says_what_to_type(modicum):
    assert "modicum import PATH" in modicum("blocks").err


def test_a_forecast_is_a_sentence():
    now = datetime(2026, 2, 3, 12, tzinfo=UTC)
    row = {"minute": now - timedelta(minutes=30), "source": "s", "cost_basis": "exact", "calls": 1}
    row |= {"calls_unpriced": 0, "prompt_tokens": 1, "completion_tokens": 1, "cost_usd": 2}
    (block,) = list_blocks([row], now, 3)

    line = describe_forecast(block, UserZone("UTC", "test"), now)

    assert line.startswith("s: 4 h 00 min left; it comes to between $")
    assert "the limit is reached at Tue 12:30" in line
