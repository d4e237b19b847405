from datetime import UTC, datetime

import msgspec
import pytest

from modicum.providers.opentelemetry.evaluation_event import is_evaluation, outcome_from_event
from modicum.providers.opentelemetry.otel import Span

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def event(trace="ab" * 16, **attributes):
    found = {name.replace("__", "."): value for name, value in attributes.items()}
    return Span(trace_id=trace, span_id="cd" * 8, name="gen_ai.evaluation.result", started=NOON, attributes=found)


def test_the_score_of_a_conversation_is_an_outcome():
    span = event(
        gen_ai__evaluation__name="relevance", gen_ai__evaluation__score__value=0.75, gen_ai__conversation__id="c"
    )
    outcome = outcome_from_event(span, "p|")

    assert is_evaluation(span)
    assert (outcome.task, outcome.name, outcome.value, outcome.time) == ("c", "relevance", 0.75, NOON)
    assert outcome.outcome_id == f"p|{'ab' * 16}:{'cd' * 8}|relevance"


@pytest.mark.parametrize(("label", "value"), [("Pass", 1.0), ("failed", 0.0), ("relevant", 1.0), ("not_relevant", 0.0)])
def test_a_label_stands_for_a_score_and_a_trace_for_a_task(label, value):
    outcome = outcome_from_event(event(gen_ai__evaluation__name="a", gen_ai__evaluation__score__label=label), "")

    assert (outcome.task, outcome.value) == ("ab" * 16, value)


@pytest.mark.parametrize(
    ("span", "why"),
    [
        (event(), "has no gen_ai.evaluation.name"),
        (
            event(gen_ai__evaluation__name="a", gen_ai__evaluation__score__value=0.0, error__type="timeout"),
            "in an error",
        ),
        (event(gen_ai__evaluation__name="a"), "neither passed nor failed"),
        (event(gen_ai__evaluation__name="a", gen_ai__evaluation__score__value=float("nan")), "not finite"),
        (event(trace="", gen_ai__evaluation__name="a", gen_ai__evaluation__score__value=1), "its task is unknown"),
    ],
)
def test_what_is_no_outcome_says_why(span, why):
    with pytest.raises(ValueError, match=why):
        outcome_from_event(span, "")


def test_without_a_span_the_reply_keeps_two_results_of_one_moment_apart():
    rows = [
        msgspec.structs.replace(
            event(gen_ai__evaluation__name="a", gen_ai__evaluation__score__value=1.0, gen_ai__response__id=reply),
            span_id="",
        )
        for reply in ("chatcmpl-1", "chatcmpl-2")
    ]

    assert len({outcome_from_event(row, "").outcome_id for row in rows}) == 2
