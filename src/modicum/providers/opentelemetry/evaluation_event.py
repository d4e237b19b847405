"""`gen_ai.evaluation.result`: the event by which OpenTelemetry tells what an evaluation gave.

https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-events.md (read on 2026-11-30,
status: development): the name is required; a score's value, its label and `error.type` stand where they apply. The
event stands in the span of the model call, or names the reply. Which scale a value is on, nobody says (the example is
4.0): what lies outside 0..1 is booked as it stands, as a count would be. A conversation is not among its attributes,
but some send it.
"""

import math

from modicum.calls import Outcome
from modicum.calls.outcome import checked_time
from modicum.providers.opentelemetry.otel import Span
from modicum.providers.opentelemetry.otel_names import CONVERSATION

EVENT = "gen_ai.evaluation.result"
NAME, VALUE, LABEL = "gen_ai.evaluation.name", "gen_ai.evaluation.score.value", "gen_ai.evaluation.score.label"
ERROR, REPLY = "error.type", "gen_ai.response.id"
READ = frozenset({"event.name", NAME, VALUE, LABEL, ERROR, REPLY, *CONVERSATION})
"""Every attribute that is read here. The explanation is not: it is a text about a reply."""
_LABELS = {
    **dict.fromkeys(("pass", "passed", "true", "correct", "relevant", "yes", "success"), 1.0),
    **dict.fromkeys(("fail", "failed", "false", "incorrect", "not_relevant", "no", "failure"), 0.0),
}


def is_evaluation(span: Span) -> bool:
    """Whether a log record is the result of an evaluation."""
    return span.name == EVENT


def outcome_from_event(span: Span, id_prefix: str) -> Outcome:
    """The outcome of an event: of the conversation that it names, else of its trace, as calls of spans have it.

    Raises:
        ValueError: it has no name, no task, or no score that can be read; the message holds no text of it.
    """
    found = span.attributes
    name = found.get(NAME)
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"the event has no {NAME}")
    if found.get(ERROR):
        raise ValueError("the evaluation ended in an error, so it gave no score")
    named = next((value for key in CONVERSATION if isinstance(value := found.get(key), str) and value), "")
    task = named or span.trace_id
    if not task.strip("0"):
        raise ValueError(
            f"the event names no conversation and stands in no trace, so its task is unknown; {REPLY} names none"
        )
    at = checked_time(span.started)
    if span.span_id.strip("0"):
        place = f"{span.trace_id}:{span.span_id}"
    else:
        reply = found.get(REPLY)
        place = f"{task}:{reply}" if isinstance(reply, str) and reply else f"{task}:{at.isoformat()}"
    return Outcome(
        outcome_id=f"{id_prefix}{place}|{name.strip()}",
        task=task,
        name=name.strip(),
        value=_score(found.get(VALUE), found.get(LABEL)),
        time=at,
        source=EVENT,
    )


def _score(value: object, label: object) -> float:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        score = float(value)
        if not math.isfinite(score) or score < 0:
            raise ValueError("the score is negative or not finite")
        return score
    word = label.strip().lower() if isinstance(label, str) else ""
    if word not in _LABELS:
        raise ValueError(f"the event has no {VALUE}, and its label is neither passed nor failed")
    return _LABELS[word]
