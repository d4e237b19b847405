"""Histories made by hand: turns of a conversation in, a ledger's history out. Not a test itself."""

from datetime import UTC, datetime, timedelta

from modicum.calls import Anatomy, Call, Segment, SegmentKind, Usage
from modicum.insights.history import load
from modicum.ledger.booking import book
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES
from modicum.metering.digests import Digester
from modicum.metering.prices import PriceBook

START = datetime(2026, 2, 3, tzinfo=UTC)
EVER = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
PRICES = PriceBook()
READ, WRITE, PLAIN, OUT = 0.5e-6, 6.25e-6, 5e-6, 25e-6
"""Dollars per token of claude-opus-4-5."""
digest = Digester(b"").digest


def user(text, tokens):
    return Segment(SegmentKind.USER, tokens, digest(text))


def schema(tool, tokens):
    return Segment(SegmentKind.TOOL_SCHEMA, tokens, tool.encode(), tool)


def said(text, tokens=20):
    return Segment(SegmentKind.ASSISTANT, tokens, digest(text))


def asked(tool, arguments, tokens=20):
    return Segment(SegmentKind.TOOL_CALL, tokens, digest(tool + arguments), tool, digest(tool + arguments))


def result(tool, arguments, text, tokens, *, failed=False):
    return Segment(SegmentKind.TOOL_RESULT, tokens, digest(text), tool, digest(tool + arguments), failed)


def tool_round(tool, arguments, text, tokens=200, *, failed=False):
    """What a call finds added to its context after the model has called a tool."""
    return asked(tool, arguments), result(tool, arguments, text, tokens, failed=failed)


class Conversation:
    """Grows a context call by call, with a prompt cache that works as Anthropic's: all of the old is read, all of the
    new written.
    """

    def __init__(self, name="t", *, cached=True, start=START, **fields):
        self.entries = []
        self.name, self.cached, self.fields = name, cached, fields
        self.at, self.held, self.tokens = start, 0, 0

    def call(self, *added, output=30, after=5.0, lasts=2.0, **fields):
        grown = sum(part.tokens for part in added)
        usage = Usage(0, self.tokens, grown, 0, output) if self.cached else Usage(self.tokens + grown, 0, 0, 0, output)
        self.at += timedelta(seconds=after)
        told = {
            "call_id": f"{self.name}.{len(self.entries)}",
            "source": "test",
            "provider": "anthropic",
            "model": "claude-opus-4-5",
            "started": self.at,
            "finished": self.at + timedelta(seconds=lasts),
            "usage": usage,
            "turn": len(self.entries),
            "task": self.name,
            "conversation": self.name,
            "anatomy": Anatomy(self.held, self.tokens, tuple(added)),
        }
        self.entries.append(book(Call(**(told | self.fields | fields)), PRICES))
        self.at += timedelta(seconds=lasts)
        self.held += len(added)
        self.tokens += grown
        return self

    def compact(self, *added, kept=1):
        """The next call keeps only the first segments."""
        first = [part for entry in self.entries for part in entry.call.anatomy.added][:kept]
        self.held, self.tokens = len(first), sum(part.tokens for part in first)
        return self.call(*added)


def history_of(*conversations, outcomes=()):
    store = open_store(":memory:")
    store.append([entry for conversation in conversations for entry in conversation.entries])
    store.append_records(OUTCOMES, list(outcomes))
    found = load(store, *EVER)
    store.close()
    return found
