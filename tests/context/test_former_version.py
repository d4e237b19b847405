"""A ledger and a journal that the version before wrote, whose digests had no version and other texts.

`former/`: three calls of the conversation `talk` through a gateway, which read one file twice; the journal as it left
it, and the ledger into which it was shipped.
"""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from context.doors import DIGESTER
from insights.planted import EVER
from modicum.calls import Anatomy, Call, Owner, Segment, SegmentKind, Usage
from modicum.context.conversations import FORMER, Conversations
from modicum.context.live import Counts, LiveContexts
from modicum.importers.forks import anchored
from modicum.insights.findings import FINDINGS, load_detector
from modicum.insights.history import load
from modicum.ledger.booking import book
from modicum.ledger.opening import open_store
from modicum.ledger.shipper import Shipper
from modicum.metering.prices import PriceBook
from modicum.providers.openai_chat.dialect import DIALECT

FORMER_FILES = Path(__file__).parent / "former"
SHOWN = [
    ("talk", 0, 0, [("tool_schema", "read_file", 34), ("system", "", 3), ("user", "", 6)]),
    ("talk", 1, 3, [("tool_call", "read_file", 6), ("tool_result", "", 241)]),
    ("talk", 2, 5, [("tool_call", "read_file", 6), ("tool_result", "", 241)]),
]
"""What the version before had of them."""


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "ledger.duckdb"
    path.write_bytes(gzip.decompress((FORMER_FILES / "ledger.duckdb.gz").read_bytes()))
    store = open_store(str(path))
    yield store
    store.close()


def calls_of(store):
    return sorted((entry.call for batch in store.entries() for entry in batch), key=lambda call: call.started)


def shown(calls):
    return [
        (
            call.conversation,
            call.turn,
            call.anatomy.kept_segments,
            [(part.kind.value, part.tool, part.tokens) for part in call.anatomy.added],
        )
        for call in calls
    ]


def test_a_ledger_of_the_version_before_reads_the_same(store):
    assert shown(calls_of(store)) == SHOWN
    assert all(len(part.digest) == 16 for call in calls_of(store) for part in call.anatomy.added)


def test_a_journal_of_the_version_before_is_booked_the_same(tmp_path):
    (tmp_path / "gateway.sqlite").write_bytes(gzip.decompress((FORMER_FILES / "gateway.sqlite.gz").read_bytes()))
    store = open_store(":memory:")
    shipper = Shipper(tmp_path, store, PriceBook())
    shipper.ship()
    shipper.close()

    assert shown(calls_of(store)) == SHOWN
    store.close()


def asked(rounds):
    """The request that comes next, as the same client sends it."""
    import json

    tool = {"name": "read_file", "description": "Reads a file.", "parameters": {"type": "object"}}
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What does the file say?"}]
    for number in range(rounds):
        function = {"name": "read_file", "arguments": json.dumps({"path": "a.txt"})}
        call = {"id": f"call_{number}", "type": "function", "function": function}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        text = "A line of the file. " * 40
        messages.append({"role": "tool", "tool_call_id": f"call_{number}", "content": text})
    tools = [{"type": "function", "function": tool}]
    return json.dumps({"model": "gpt-4o-mini", "tools": tools, "messages": messages}).encode()


def test_a_conversation_that_goes_on_after_the_upgrade_has_no_break_that_anybody_counts(store):
    before = calls_of(store)
    conversations = Conversations()
    conversations.remember(store.ask("contexts", since=before[0].started - timedelta(days=1), most=9))
    live = LiveContexts(DIGESTER)
    for number in (3, 4):
        context, uncounted = live.take(DIALECT, asked(number), "gpt-4o-mini")
        live.counted(context, [(part, Counts(len(text), {})) for part, text in uncounted])
        call = Call(
            call_id=f"gateway:{number}",
            source="gateway",
            provider="openai",
            model="gpt-4o-mini",
            started=before[-1].started + timedelta(seconds=number),
            usage=Usage(5000),
            conversation="talk",
            owner=Owner(key="ci", team="platform"),
        )
        store.append([book(conversations.placed(call, context.parts, str(number)), PriceBook())])

    third, fourth = calls_of(store)[3:]
    assert (third.turn, third.anatomy.kept_segments, third.anatomy.break_cause) == (3, 0, "version")
    assert (fourth.turn, fourth.anatomy.kept_segments, len(fourth.anatomy.added)) == (4, 9, 2)
    found = {name: load_detector(name)(load(store, *EVER)) for name in FINDINGS}
    assert "calls, version" not in found["prefix_break"].details
    # What the old digests say is never held against the new: three reads stand there anew, and one came since.
    assert found["reread_files"].details == {"reads": 3}
    assert found["duplicate_context"].calls == 0


def test_a_log_that_grew_after_the_upgrade_rests_on_nothing_that_was_booked_before_it():
    def call(name, kept, *parts):
        return Call(
            call_id=name,
            source="codex",
            provider="openai",
            model="gpt-4o",
            started=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=int(name)),
            usage=Usage(10),
            conversation="c",
            anatomy=Anatomy(kept, kept, tuple(parts)),
        )

    def part(text, digest=DIGESTER.segment):
        return Segment(SegmentKind.USER, 1, digest(text))

    store = open_store(":memory:")
    store.append([book(call("1", 0, part("a", DIGESTER.digest)), PriceBook())])
    assert store.conversations_of(["1"]) == {"1": "c" + FORMER}
    log = [call("1", 0, part("a")), call("2", 1, part("b")), call("3", 2, part("c"))]

    first, second, third = anchored(log, store.conversations_of)

    assert first == log[0]
    assert second.anatomy == Anatomy(0, 0, (part("a"), part("b")), "version")
    assert third == log[2]
    store.append([book(one, PriceBook()) for one in (first, second, third)])
    assert list(anchored(log, store.conversations_of)) == [first, second, third]  # as they are booked

    own = [call("1", 0, part("a", DIGESTER.digest)), call("2", 1, part("b", DIGESTER.digest))]
    assert list(anchored(own, store.conversations_of)) == own  # a log that brings its own digests has no versions
    store.close()
