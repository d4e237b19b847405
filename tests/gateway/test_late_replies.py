"""What is remembered, and what is booked; the way through the gateway is in test_known_cases.py."""

import asyncio
from types import SimpleNamespace

import pytest

from modicum.calls import Owner
from modicum.gateway import late_replies
from modicum.gateway.late_replies import LateReplies
from modicum.ledger.journal import NotDurable
from modicum.providers.facts import ReplyFacts

ID = "resp_" + "b" * 48
REQUEST = SimpleNamespace(headers={}, caller=SimpleNamespace(owner=Owner(key="k")))
UPSTREAM = SimpleNamespace(provider="openai", name="openai")


class Disk:
    def __init__(self, refuses=False):
        self.records, self.refuses = [], refuses

    async def append(self, record):
        if self.refuses:
            raise NotDurable
        self.records.append(record)


def record(late, **facts):
    facts = {"reply_id": ID, "model": "gpt-5", "background": True, "complete": True} | facts
    return asyncio.run(late.record(REQUEST, UPSTREAM, ReplyFacts(**facts)))


@pytest.mark.parametrize("other", [{"background": False}, {"pending": True}, {"reply_id": "resp_1"}])
def test_what_is_not_over_or_cannot_be_told_from_others_is_not_booked(other):
    late = LateReplies(disk := Disk())

    assert record(late, **other)
    assert disk.records == []


def test_it_is_booked_once_and_again_if_the_disk_refused():
    late = LateReplies(disk := Disk(refuses=True))
    assert not record(late)
    disk.refuses = False

    assert record(late)
    assert record(late)
    assert [found.number for found in disk.records] == [ID]


def test_who_wants_to_know_hears_of_it_once_it_is_booked():
    calls = []

    async def reconcile(call):
        calls.append((call.call_id, len(disk.records)))

    late = LateReplies(disk := Disk(), reconcile)
    record(late)
    record(late)

    assert calls == [(ID, 1)]


def test_the_oldest_calls_are_forgotten(monkeypatch):
    monkeypatch.setattr(late_replies, "MOST_REMEMBERED", 2)
    late = LateReplies(Disk())
    for name in "abc":
        reply, upstream = ReplyFacts(reply_id=name, pending=True), SimpleNamespace(name=f"at {name}")
        late.remember(SimpleNamespace(reply=reply, finished=object(), route=SimpleNamespace(upstream=upstream)))

    assert [late.upstream_name(name) for name in "abc"] == ["", "at b", "at c"]
