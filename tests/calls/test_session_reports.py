from datetime import UTC, datetime

import pytest

from modicum.calls import Call, Usage
from modicum.calls.session_reports import SessionCalls, without_brackets


def call(place="", *, source="claude-code", model="m", task="s", prompt=10, output=1):
    return Call(
        call_id="x",
        source=source,
        provider="anthropic",
        model=model,
        started=datetime(2026, 1, 1, tzinfo=UTC),
        usage=Usage(input_uncached=prompt, output_visible=output),
        task=task,
        place=place,
    )


@pytest.mark.parametrize(
    ("known", "report", "has"),
    [
        (call(), call("run"), True),
        (call(), call("run", model="other"), False),
        (call(), call("run", task="other"), False),
        (call(), call("run", model=""), True),
        (call("run"), call("run"), False),
        (call("rest"), call("run"), False),
        (call("telemetry"), call("run"), True),
        (call(), call("telemetry", output=99), True),
        (call(), call("telemetry", prompt=11), False),
        (call("telemetry"), call("telemetry"), False),
        (call(), call("rest", source="claude-headless"), True),
        (call(source="claude-headless"), call("rest", source="claude-headless"), False),
        (call(), call("rest", model="other", source="claude-headless"), False),
        (call(task=""), call("run", task=""), False),
    ],
)
def test_what_a_report_tells_is_known_by_the_calls_that_stand_elsewhere(known, report, has):
    calls = SessionCalls()
    calls.add(known)

    assert calls.has(report) is has


def test_a_name_of_the_larger_context_is_the_models_name():
    assert without_brackets("claude-opus-4-6[1m]") == without_brackets("claude-opus-4-6") == "claude-opus-4-6"
