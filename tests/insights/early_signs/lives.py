"""Tasks as they go: one call after the other, each with the tool result that came before it."""

from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from ledger.samples import EVER, entry
from modicum.calls import Anatomy, Outcome, Segment, SegmentKind, Usage
from modicum.insights.history import load
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES

START = datetime(2026, 2, 3, 10, tzinfo=UTC)


def life(task, results, *, errors=frozenset(), at=0.0, **fields):
    """The calls of a task, a second apart, from `at` minutes on: 100 prompt and 10 output tokens each."""
    return [
        entry(
            f"{task}/{place}",
            "0.01",
            task=task,
            conversation=f"talk {task}",
            turn=place,
            started=fields.pop("started", START) + timedelta(minutes=at, seconds=place),
            usage=Usage(100, 0, 0, 0, 10, 0),
            anatomy=Anatomy(place, 100 * place, (_result(word, is_error=place in errors),)),
            **fields,
        )
        for place, word in enumerate(results)
    ]


def _result(word, *, is_error):
    digest = blake2b(word.encode(), digest_size=16).digest()
    return Segment(SegmentKind.TOOL_RESULT, 100, digest, "read", digest, is_error)


def read(folder, entries):
    folder.mkdir(parents=True, exist_ok=True)
    store = open_store(str(folder / "ledger.duckdb"))
    store.append(entries)
    history = load(store, EVER["since"], EVER["until"])
    store.close()
    return history


def outcome(task, value, name="resolved"):
    return Outcome(outcome_id=f"{name}/{task}", task=task, name=name, value=value, time=START)


def fill(store, entries, outcomes):
    store.append(entries)
    store.append_records(OUTCOMES, outcomes)
