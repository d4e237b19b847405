"""Estimates of what a change saves, from a ledger with known prices."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from experiments.samples import experiment
from insights.planted import Conversation, asked, result, said, user
from modicum.calls import Edit, Shortening, Usage
from modicum.cli.experiments.estimates import estimate_saving
from modicum.experiments.experiment import ChangeKind
from modicum.ledger.opening import open_store
from modicum.ledger.records import SHORTENINGS, shortenings_of
from modicum.metering.prices import PriceBook
from modicum.settings import Settings, ledger_place

NOW = datetime.now(UTC)
PRICES = PriceBook()
CUT = "content.cut"


def conversation(name, **fields):
    """A task whose one tool result `content.cut` would have cut to a quarter."""
    cut = msgspec.structs.replace(
        result("Bash", "make", f"the output of {name}", 8000), shortenings=(Shortening(CUT, 0.25),)
    )
    told = {"source": "claude-code", "start": NOW - timedelta(days=1)} | fields
    talk = Conversation(name, **told).call(user("the task", 2000)).call(said("I look"), asked("Bash", "make"), cut)
    return talk.call(said("done"), user("more", 100)).entries


def append(store, entries):
    store.append(entries)
    store.append_records(SHORTENINGS, shortenings_of(entries))


def estimate(store, subject, *, kind=ChangeKind.RULE, to="", settings=None):
    one = experiment(kind=kind, subject=subject, to=to, started_at=NOW)
    return estimate_saving(store, settings or Settings(), PRICES, one)


@pytest.fixture
def store():
    opened = open_store(":memory:")
    yield opened
    opened.close()


@pytest.fixture
def ledger(home):
    opened = open_store(ledger_place(Settings()))
    yield opened
    opened.close()


def test_a_replay_estimates_what_a_model_saves_and_says_why_it_cannot(store):
    def use(name, model):
        usage = Usage(10_000, 0, 0, 0, 500, 0)
        fields = {"provider": "openai", "model": model, "usage": usage}
        return Conversation(name, start=NOW - timedelta(days=1), anatomy=None).call(**fields).entries

    def ask(old, new):
        return estimate(store, old, kind=ChangeKind.MODEL, to=new, settings=settings)

    settings = Settings(models={"big": "openai/gpt-4o", "small": "openai/gpt-4o-mini"})
    store.append([entry for number in range(5) for entry in use(f"t{number}", "gpt-4o")])

    found = ask("gpt-4o", "gpt-4o-mini")
    assert 0.9 < found.share < 0.97
    assert found.why_not == ""
    assert ask("big", "small") == found
    absent = ask("gpt-4.1", "gpt-4o-mini")
    assert (absent.share, "has no call to 'gpt-4.1' in the 30 days" in absent.why_not) == (None, True)
    unpriced = ask("gpt-4o", "no-such-model")
    assert (unpriced.share, "no price is known for the model 'no-such-model'" in unpriced.why_not) == (None, True)
    store.append(use("other", "gpt-4.1"))  # of another task
    assert ask("gpt-4o", "gpt-4o-mini") == found


def test_a_rule_is_estimated_as_the_audit_replays_it(modicum, ledger):
    append(ledger, [*conversation("one"), *conversation("two", start=NOW - timedelta(days=3))])
    found = estimate(ledger, CUT)
    ledger.close()

    (audited,) = modicum("audit", "--what-if", f"rules={CUT}", "--json").json["what_if"]
    assert found.share == pytest.approx(audited["saving_share"])
    assert found.share > 0.2
    started = modicum("experiment", "start", "shorter", "--rule", CUT, "--outcome", "resolved").out
    assert (
        f"a replay of the last 30 days says that it saves {found.share * 100:.1f} % of such tasks' dollars" in started
    )
    (saved,) = modicum("experiment", "savings", "--json").json["experiments"]
    assert saved["estimated_share"] == pytest.approx(found.share)
    assert saved["why_not_estimated"] == ""


def test_only_tasks_that_were_imported_whole_are_in_the_estimate_of_a_rule(store):
    append(store, conversation("one"))
    alone = estimate(store, CUT)

    live = conversation("live", source="gateway")
    bare = Conversation("bare", start=NOW - timedelta(days=1), task="mixed", anatomy=None).call(user("more", 100))
    store.append([*live, *conversation("mixed"), *bare.entries, *conversation("loose", task="")])
    assert estimate(store, CUT) == alone


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([], "no task in the 30 days before the start was imported with anatomy"),
        (conversation("live", source="gateway"), "of calls through the gateway the ledger keeps no text"),
        (conversation("old", start=NOW - timedelta(days=40)), "was imported with anatomy"),
        (conversation("loose", task=""), "was imported with anatomy"),
        (conversation("free", model="nobody-knows-this"), "of no call that it is about are the costs known"),
    ],
)
def test_a_rule_has_no_estimate_where_the_ledger_lacks_what_it_takes(store, entries, why):
    append(store, entries)
    found = estimate(store, CUT)

    assert found.share is None
    assert why in found.why_not


def test_a_rule_has_no_estimate_where_no_result_was_seen_or_it_ran_before(store):
    append(store, conversation("one"))
    unseen = estimate(store, "content.log_fold")
    append(store, conversation("two", source="gateway", edits=(Edit(CUT, 8000, 2000, "cut"),)))
    ran = estimate(store, CUT)

    assert (unseen.share, ran.share) == (None, None)
    assert "no import saw a tool result in the 30 days before the start that 'content.log_fold' would" in unseen.why_not
    assert "'content.cut' changed calls in the 30 days before the start" in ran.why_not


@pytest.mark.parametrize(
    ("kind", "subject", "why"),
    [
        (ChangeKind.TEAM, "support", "what a team would have done"),
        (ChangeKind.RULE, "prompt.terse", "another system prompt"),
        (ChangeKind.RULE, "route.cheap", "which models a router would have chosen"),
        (ChangeKind.RULE, "cache.key", "'cache.key' is none"),
        (ChangeKind.RULE, "guard.loop_stop", "only rules for content"),
    ],
)
def test_what_no_history_can_say_has_no_estimate(store, kind, subject, why):
    append(store, conversation("one"))
    found = estimate(store, subject, kind=kind)

    assert found.share is None
    assert why in found.why_not


def test_why_there_is_no_estimate_is_said_wherever_the_estimate_would_stand(modicum, ledger):
    ledger.close()
    words = ("--rule", "cache.key", "--outcome", "resolved")
    why = "only rules for content (content.*) can be replayed, and 'cache.key' is none"

    assert f"no estimate: {why}" in modicum("experiment", "start", "keyed", *words).out
    (shown,) = modicum("experiment", "status", "--json").json
    assert (shown["estimated_saving"], shown["why_not_estimated"]) == (None, why)
    saved = modicum("experiment", "savings", "--json").json
    assert saved["experiments"][0]["why_not_estimated"] == why
    assert (saved["hits"], saved["judged"]) == (0, 0)
    assert f"keyed: no estimate: {why}" in " ".join(modicum("experiment", "savings").out.split())
    assert modicum("experiment", "log", "--json").json[0]["why_not_estimated"] == why
