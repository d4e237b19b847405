"""Mutation check: a clean history, in which nothing is found; one kind of waste planted in it at a time, which is then
found and priced as what the history costs more than the clean one.
"""

import json
from dataclasses import dataclass
from datetime import timedelta

import msgspec
import pytest

from insights.planted import PRICES, START, Conversation, asked, digest, history_of, result, said, tool_round, user
from modicum.calls import Basis, CallStatus, Outcome, Reuse, Segment, SegmentKind, Usage
from modicum.importers import read_calls
from modicum.importers.format import Reading
from modicum.insights.finding import FindingClass
from modicum.insights.findings import FINDINGS, load_detector
from modicum.insights.replay import Replay
from modicum.ledger.booking import book

TOOLS = ("Read", "Edit", "Bash")
STEPS = 12
OUTPUT = 30


def schemas(*tools):
    return [Segment(SegmentKind.TOOL_SCHEMA, 300, digest(tool), tool) for tool in tools]


def read(tool_round, share=1.0):
    """A round of which later calls referred to that share of the result, as an importer found."""
    asked, result = tool_round
    return asked, msgspec.structs.replace(result, reuse=Reuse(share, 9))


@dataclass
class Task:
    """An agent's task without waste: reads something new, edits, tests; its cache is kept and read."""

    name: str
    waste: str = ""
    """Name of the finding that is to be planted."""
    day: int = 0

    def made(self):
        cached = self.waste != "uncached_prefix"
        talk = Conversation(self.name, cached=cached, start=START + timedelta(hours=3 * self.day), project="p")
        tools = (*TOOLS, "Deploy") if self.waste == "unused_tools" else TOOLS
        fixed = Segment(SegmentKind.SYSTEM, 3000, digest("system"))
        talk.call(*schemas(*tools), fixed, user(f"task {self.name}", 400))
        for step in range(STEPS):
            if step == STEPS // 2:
                self.plant(talk)
            tool, argument = TOOLS[step % 3], f"{self.name} {step}"
            size = 6000 if self.waste == "carried_results" and step == 3 else 500
            output = 9000 if self.waste == "excess_output" and step == 4 else OUTPUT
            talk.call(*read(tool_round(tool, argument, f"result of {argument}", size)), output=output)
        return talk

    def plant(self, talk):
        n = self.name
        if self.waste == "failed_calls":
            talk.call(said("well"), user(f"go on with {n}", 40), output=100, status=CallStatus.ABORTED)
            talk.call()
        elif self.waste == "duplicate_requests":
            talk.call(output=25)
            talk.call(output=25)
        elif self.waste == "duplicate_context":
            talk.call(said("look"), user(f"log of {n}", 1200))
            talk.call(said("look again"), user(f"log of {n}", 1200))
        elif self.waste == "reread_files":
            talk.call(*tool_round("Read", f"{n} x", "same text", 900))
            talk.call(*tool_round("Read", f"{n} x", "same text", 900))
        elif self.waste == "unread_results":
            talk.call(*read(tool_round("Read", f"{n} x", "long text", 1500), share=0.2))
        elif self.waste == "loops":
            for _ in range(6):
                talk.call(*tool_round("Bash", f"{n} make", "error 2", 150))
        elif self.waste == "failed_tools":
            talk.call(*tool_round("Read", f"{n} missing", "no such file", 80, failed=True))
            talk.call(*tool_round("Read", f"{n} there", "text", 300))


def clean_tasks(count=12):
    return [Task(f"t{number}", day=number) for number in range(count)]


def mutated(waste, which=(3, 7)):
    tasks = clean_tasks()
    for number in which:
        tasks[number].waste = waste
    return tasks


def made(tasks, *more, outcomes=()):
    return history_of(*(task.made() for task in tasks), *more, outcomes=outcomes)


def claims(history):
    """What is found, but for figures that claim nothing."""
    found = {name: load_detector(name)(history) for name in FINDINGS}
    return {name: one for name, one in found.items() if one.finding_class is not FindingClass.INFO and one.calls}


def replayed(history, found):
    """What the replay says that the change would have saved."""
    return Replay(history, PRICES).run([found.change]).saving_usd


def spent(history):
    return float(history.cost_usd.sum())


def test_nothing_is_found_where_nothing_is_wasted():
    assert claims(made(clean_tasks())) == {}


@pytest.mark.parametrize(
    "waste", ["duplicate_context", "reread_files", "unread_results", "loops", "failed_tools", "carried_results"]
)
def test_planted_waste_is_found_and_priced_as_what_it_cost(waste):
    history = made(mutated(waste))
    without = {
        # What would have been done all the same: the first copy, the first read, two rounds of a loop, a good call.
        "duplicate_context": lambda talk, n: talk.call(said("look"), user(f"log of {n}", 1200)),
        "reread_files": lambda talk, n: talk.call(*tool_round("Read", f"{n} x", "same text", 900)),
        "unread_results": lambda talk, n: talk.call(*tool_round("Read", f"{n} x", "short text", 300)),
        "loops": lambda talk, n: [talk.call(*tool_round("Bash", f"{n} make", "error 2", 150)) for _ in range(2)],
        "failed_tools": lambda talk, n: talk.call(*tool_round("Read", f"{n} there", "text", 300)),
    }

    class Thrifty(Task):
        def plant(self, talk):
            if waste in without:
                without[waste](talk, self.name)

    tasks = clean_tasks()
    for number in (3, 7):
        tasks[number] = Thrifty(f"t{number}", day=number)
    thrifty = made(tasks)
    if waste == "carried_results":  # beyond the cap of 2,000
        extra = sum(spent(made(mutated(waste, [at]))) - spent(made(clean_tasks())) for at in (3, 7)) * 4000 / 5500
    else:
        extra = spent(history) - spent(thrifty)
    if waste == "duplicate_context":  # the turn around the block was made; the block alone was waste
        extra -= turn_around_the_block()

    found = claims(history)

    assert list(found) == [waste]
    assert found[waste].gross_usd == pytest.approx(extra, rel=0.01)
    assert replayed(history, found[waste]) == pytest.approx(extra, rel=0.01)


def test_failed_calls_are_priced_as_they_were_billed():
    history = made(mutated("failed_calls"))

    found = claims(history)

    assert list(found) == ["failed_calls"]
    broken = history.status == history.statuses.index("aborted")
    assert found["failed_calls"].gross_usd == pytest.approx(float(history.cost_usd[broken].sum()), rel=0.01)


def turn_around_the_block():
    """What the second turn costs without its block, in both tasks."""

    class Empty(Task):
        def plant(self, talk):
            talk.call(said("look"), user(f"log of {self.name}", 1200))
            talk.call(said("look again"))

    class Without(Task):
        def plant(self, talk):
            talk.call(said("look"), user(f"log of {self.name}", 1200))

    def two(kind):
        return spent(history_of(*(kind(f"t{number}", day=number).made() for number in (3, 7))))

    return two(Empty) - two(Without)


def test_a_repeated_request_is_priced_as_the_repetition():
    """Asked twice in a row: once would have done."""
    once = [task if task.name not in {"t3", "t7"} else AskedOnce(task.name, day=task.day) for task in clean_tasks()]
    history = made(mutated("duplicate_requests"))

    found = claims(history)

    assert list(found) == ["duplicate_requests"]
    # Each planted task sends one more request that equals its predecessor than the task that asked once.
    per_call = found["duplicate_requests"].gross_usd / found["duplicate_requests"].calls
    assert per_call == pytest.approx((spent(history) - spent(made(once))) / 2, rel=0.01)


class AskedOnce(Task):
    def plant(self, talk):
        talk.call(output=25)


def test_a_conversation_without_cache_pays_for_its_beginning_again_and_again():
    found = claims(made(mutated("uncached_prefix")))

    kept = sum(4300 + 520 * step for step in range(STEPS))  # 3 schemas, system and question, then the rounds
    assert list(found) == ["uncached_prefix"]
    assert found["uncached_prefix"].gross_usd == pytest.approx(2 * kept * 5e-6, rel=0.01)


def test_a_tool_that_nobody_called_pays_rent_in_every_call():
    tasks = [Task(task.name, "unused_tools", task.day) for task in clean_tasks()]
    history = made(tasks)

    found = claims(history)

    assert list(found) == ["unused_tools"]
    extra = spent(history) - spent(made(clean_tasks()))
    assert found["unused_tools"].gross_usd == pytest.approx(extra, rel=0.01)
    assert replayed(history, found["unused_tools"]) == pytest.approx(extra, rel=0.01)


@pytest.mark.parametrize(("waste", "pause"), [("prefix_break", 5.0), ("ttl_expiry", 1200.0)])
def test_a_cache_that_was_lost_is_written_again(waste, pause):
    """One call in the middle of two tasks finds nothing in the cache and writes all of its prompt."""
    tasks, extra = clean_tasks(), 0.0
    talks = [task.made() for task in tasks]
    for number in (3, 7):
        talk = Task(f"t{number}", day=number).made()
        prompt = talk.tokens
        talk.call(user("and now?", 200), after=pause, usage=Usage(0, 0, prompt + 200, 0, OUTPUT))
        talk.call(said("so"))
        talks[number] = talk
        extra += prompt * (6.25e-6 - 0.5e-6)
    history = history_of(*talks)

    found = claims(history)

    assert list(found) == [waste]
    assert found[waste].calls == 2
    if waste == "prefix_break":
        assert replayed(history, found[waste]) == pytest.approx(extra, rel=0.01)
    else:  # an hour's writes cost twice the input rate, in every call of every main agent
        writes = float(history.cache_write_5m.sum())
        kept = writes - sum(talks[number].tokens - 220 for number in (3, 7))
        assert replayed(history, found[waste]) == pytest.approx(extra - kept * (10e-6 - 6.25e-6), rel=0.01)


def test_a_reply_far_beyond_the_usual_is_priced_down_to_it():
    found = claims(made(mutated("excess_output")))

    assert list(found) == ["excess_output"]
    assert found["excess_output"].gross_usd == pytest.approx(2 * (9000 - 4 * OUTPUT) * 25e-6, rel=0.01)


def test_writes_that_nobody_read():
    lone = [
        Conversation(f"one-shot {number}", start=START + timedelta(hours=number), project="q").call(
            user(f"question {number}", 5000), output=900
        )
        for number in range(3)
    ]

    found = claims(made(clean_tasks(), *lone))

    assert list(found) == ["unread_writes"]
    assert found["unread_writes"].gross_usd == pytest.approx(3 * 5000 * 6.25e-6, rel=0.01)
    premium = 3 * 5000 * (6.25e-6 - 5e-6)
    assert replayed(made(clean_tasks(), *lone), found["unread_writes"]) == pytest.approx(premium, rel=0.01)


def test_bulk_work_at_the_full_price():
    lone = [
        Conversation(f"item {number}", cached=False, start=START + timedelta(minutes=number), project="q").call(
            user(f"item {number}", 800), output=900
        )
        for number in range(25)
    ]

    found = claims(made(clean_tasks(), *lone))

    assert list(found) == ["wrong_lane"]
    assert found["wrong_lane"].gross_usd == pytest.approx(25 * (800 * 5e-6 + 900 * 25e-6), rel=0.01)


def test_lookups_on_the_largest_model():
    lookup = Conversation("lookup", project="q").call(user("where is it?", 700), output=80)
    for number in range(4):
        lookup.call(asked("Grep", f"{number}"), result("Grep", f"{number}", f"line {number}", 300), output=80)

    found = claims(made(clean_tasks(), lookup))

    assert list(found) == ["oversized_models"]
    assert found["oversized_models"].calls == 5


def test_agents_that_send_each_other_the_same_words():
    planner = Conversation("planner", task="team", agent="planner", project="q")
    worker = Conversation("worker", task="team", agent="worker", project="q")
    totals = {}
    for number in range(6):
        planner.at = worker.at = max(planner.at, worker.at)
        planner.call(said(f"try {number}"), user("it failed", 60), output=500)
        worker.at = planner.at
        worker.call(said(f"failed {number}"), user("try again", 60), output=500)
        totals[number] = sum(float(entry.cost.usd) for one in (planner, worker) for entry in one.entries)

    found = claims(made(clean_tasks(), planner, worker))

    assert list(found) == ["loops"]
    assert found["loops"].gross_usd == pytest.approx(totals[5] - totals[1], rel=0.01)


def test_failed_tasks_are_a_figure_and_not_a_claim():
    told = [
        Outcome(outcome_id=f"o{number}", task=f"t{number}", name="resolved", value=float(number != 5), time=START)
        for number in range(12)
    ]
    history = made(clean_tasks(), outcomes=told)

    found = load_detector("cost_of_failure")(history)

    assert claims(history) == {}
    assert found.gross_usd == pytest.approx(float(history.cost_usd[history.task == history.tasks.index("t5")].sum()))


REPORT = [f"row_{number} holds amount{number} for customer_{number}" for number in range(10, 70)]


def logged(path, talks):
    """The history of a log with text: each talk is a report, and what an agent then says of it."""
    lines = []
    for task, (report, replies) in enumerate(talks):
        messages = [{"role": "user", "content": f"Look into report {task}."}, {"role": "assistant", "content": "I do."}]
        messages.append({"role": "tool", "tool_call_id": "r", "name": "fetch", "content": "\n".join(report)})
        for number, words in enumerate(replies):
            at = START + timedelta(hours=task, seconds=60 * number)
            told = {
                "modicum": 1,
                "call_id": f"{task}.{number}",
                "model": "gpt-4o",
                "provider": "openai",
                "task": f"t{task}",
            }
            reply = {"role": "assistant", "content": words}
            lines.append(told | {"started": at.isoformat(), "messages": list(messages), "reply": reply})
            messages.append(reply)
    path.write_text("\n".join(map(json.dumps, lines)))
    entries = []
    for call in read_calls([path], Reading(anatomy=True)):
        prompt = call.anatomy.kept_tokens + sum(part.tokens for part in call.anatomy.added)
        counted = {"usage": Usage(prompt), "usage_basis": Basis.EXACT, "output_basis": Basis.EXACT}
        entries.append(book(msgspec.structs.replace(call, **counted), PRICES))
    return history_of(Booked(entries))


@dataclass
class Booked:
    entries: list


def test_unread_rows_of_a_log_are_found_in_its_text_and_priced_as_a_log_without_them(tmp_path):
    uses_all = ["The rows say this.\n" + "\n".join(REPORT), *(f"Step {number}." for number in range(9))]
    uses_few = [f"Look at {' and '.join(f'row_{n}' for n in range(20, 30))}.", *uses_all[1:]]
    clean = [(REPORT, uses_all)] * 3
    wasteful = logged(tmp_path / "wasteful.jsonl", [*clean, (REPORT, uses_few)])
    trimmed = logged(tmp_path / "trimmed.jsonl", [*clean, (REPORT[7:23], uses_few)])  # with three lines around

    assert load_detector("unread_results")(logged(tmp_path / "clean.jsonl", clean)).calls == 0
    found = load_detector("unread_results")(wasteful)

    extra = spent(wasteful) - spent(trimmed)
    assert (found.calls, found.details["results_judged"]) == (1, 4)
    assert found.gross_usd == pytest.approx(extra, rel=0.01)
    assert replayed(wasteful, found) == pytest.approx(extra, rel=0.01)
