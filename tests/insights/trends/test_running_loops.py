"""Loops of a tool in calls of the last hour, as both engines give them."""

from datetime import timedelta

from ledger.samples import START, entry
from modicum.calls import Anatomy, Owner, Segment, SegmentKind
from modicum.insights.trends.running_loops import find_running_loops

BY = (("team", ""), ("tag", "kind"))


def call(number, question, answer, *, conversation="c", gap_s=2, tool="Bash", usd="0.5", task="t"):
    """A call that brings one result of a tool; empty: none."""
    digests = (answer.encode().ljust(16, b"."), question.encode().ljust(16, b"."))
    parts = (Segment(SegmentKind.TOOL_RESULT, 30, digests[0], tool, digests[1]),) if question else ()
    started = START + timedelta(seconds=number * (gap_s + 1))
    return entry(
        f"{conversation}{number:02}",
        usd,
        started=started,
        finished=started + timedelta(seconds=1),
        turn=number,
        conversation=conversation,
        task=task,
        owner=Owner("search"),
        tags={"kind": "review"},
        anatomy=Anatomy(number, number, parts),
    )


def find(store, least=3):
    return find_running_loops(store, BY, START - timedelta(hours=1), least)


def test_the_same_answer_again_and_again_is_a_loop_with_what_its_calls_cost(store):
    store.append([call(0, "", ""), *(call(n, "ls", "a b") for n in range(1, 7))])
    store.append([call(n, "ls", "a b", conversation="old") for n in range(3)])

    (loop,) = find(store)

    assert (loop.name, loop.task, loop.tool, loop.repeats) == ("search\x1freview", "t", "Bash", 4)
    assert loop.since == START + timedelta(seconds=9)
    assert loop.cost_usd == 2
    assert find(store, 5) == []
    assert find_running_loops(store, BY, START + timedelta(seconds=12), 3) == []  # the window has three of them


def test_polls_pages_and_changes_are_none(ledger_in_memory):
    waits = [call(n, "ls", "a b", conversation="waits", gap_s=10) for n in range(6)]
    changes = [call(n, "ls", f"{n}", conversation="changes") for n in range(6)]
    pages = [call(n, f"page {n}", "the same", conversation="pages") for n in range(6)]
    done = [call(n, "status", "busy" if n < 5 else "done", conversation="done") for n in range(6)]
    empty = [call(n, "", "", conversation="empty") for n in range(6)]
    ledger_in_memory.append([*waits, *changes, *pages, *done, *empty])

    assert find(ledger_in_memory) == []


def test_a_cycle_of_two_tools_is_a_loop_of_each(ledger_in_memory):
    pair = [("ls", "a", "Bash", "0.5"), ("cat", "b", "Read", None)]
    steps = [(pair[n % 2], n) for n in range(12)]
    ledger_in_memory.append([call(n, q, a, tool=tool, usd=usd, task="") for (q, a, tool, usd), n in steps])

    found = find(ledger_in_memory)

    assert [(one.tool, one.repeats, one.cost_usd) for one in found] == [("Bash", 4, 2), ("Read", 4, None)]
