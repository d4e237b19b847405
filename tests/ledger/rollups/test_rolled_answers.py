"""Answers from sums of days are those from entries, whatever happened to entries: on both engines."""

import shutil
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from ledger.samples import entry
from modicum.calls import Basis, BucketCosts, CallStatus, Charges, Cost, Entry, Owner, Usage
from modicum.ledger.asking.figure_rows import figure_rows
from modicum.ledger.asking.question_files import prepare
from modicum.ledger.opening import open_store
from modicum.ledger.store import Purge

BERLIN = "Europe/Berlin"
START = datetime(2026, 3, 27, 21, tzinfo=UTC)  # clocks are put forward in these days
NOW = datetime(2026, 4, 2, 12, tzinfo=UTC)
BASES = (Basis.EXACT, Basis.LOWER_BOUND, Basis.ESTIMATED)


@st.composite
def booked(draw):
    """An entry of some days; a few ids, so that many are revisions, some with another cost, day or owner."""
    started = START + timedelta(minutes=draw(st.integers(0, 6 * 24 * 60)))
    usd = draw(st.sampled_from([None, "0.25", "0.0000000001", "1.5"]))
    basis = draw(st.sampled_from(BASES))
    call = entry(
        f"c{draw(st.integers(0, 25))}",
        revision=draw(st.integers(0, 5)),
        started=started,
        first_token=draw(st.sampled_from([None, started + timedelta(seconds=1)])),
        finished=started + timedelta(seconds=3),
        model=draw(st.sampled_from(["opus", "haiku"])),
        provider=draw(st.sampled_from(["anthropic", ""])),
        source=draw(st.sampled_from(["gateway", "anthropic-usage"])),
        status=draw(st.sampled_from([CallStatus.OK, CallStatus.ERROR])),
        owner=Owner(team=draw(st.sampled_from(["red", "blue", ""])), user=draw(st.sampled_from(["ann", "bob"]))),
        usage=Usage(draw(st.integers(0, 1000)), 20, 0, 40, draw(st.integers(0, 90)), 60),
        usage_basis=basis,
        output_basis=basis,
        output_tokens_estimated=draw(st.sampled_from([None, 7])),
        charges=Charges(caveats=draw(st.sampled_from([(), ("usage.new_tokens",)]))),
        tags=draw(st.sampled_from([{}, {"server": "shelf", "feature": "chat"}])),
        calls_count=draw(st.integers(1, 3)),
    ).call
    if usd is None:
        return Entry(call, Cost.unknown())
    parts = BucketCosts(output_visible=Decimal(usd)) if draw(st.booleans()) else None
    return Entry(call, Cost(Decimal(usd), basis, parts, "prices", "1", draw(st.sampled_from([None, 12.5]))))


STEPS = st.lists(
    st.one_of(
        st.lists(booked(), min_size=1, max_size=12),
        st.integers(1, 3),  # days to sum
        st.builds(Purge, before=st.just(START + timedelta(days=2)), team=st.sampled_from(["red", ""])),
    ),
    min_size=2,
    max_size=7,
)
QUESTIONS = (
    *(
        ("bill", {"by": by, "tag": "feature"})
        for by in ("model", "team", "user", "provider", "day", "week", "task", "tag")
    ),
    ("bill", {"by": ["team", "day"], "tag": ["", ""]}),
    ("spend_by_day", {"by": "team", "tag": ""}),
    ("doubts", {}),
    ("months", {}),
)
SPANS = (
    (START - timedelta(days=400), NOW),
    (START + timedelta(days=1, hours=2), START + timedelta(days=3, hours=7)),
    (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 30, 22, tzinfo=UTC)),  # whole days of Berlin
)
WHERES = ({}, {"team": "red", "provider": "anthropic"}, {"tag:feature": "chat"})


def ask_plainly(store, question, **parameters):
    table = "entries" if type(store).__name__ == "DuckDBStore" else "entries_by_time"
    rolled, store._figure_rows = store._figure_rows, partial(figure_rows, table=table)
    try:
        return store.ask(question, **parameters)
    finally:
        store._figure_rows = rolled


def assert_same(rolled, plain):
    assert len(rolled) == len(plain)
    for one, other in zip(rolled, plain, strict=True):
        assert one.keys() == other.keys()
        for name, value in one.items():
            if isinstance(value, float) and other[name] is not None:
                assert value == pytest.approx(other[name])  # sums of the same numbers in another order
            else:
                assert value == other[name], name


def check(store, turn):
    """Some questions, others with each turn."""
    for number, (question, parameters) in enumerate(QUESTIONS):
        if number % 4 == turn % 4:
            since, until = SPANS[(number + turn) % len(SPANS)]
            where, zone = WHERES[(number + turn) // 2 % len(WHERES)], BERLIN if number % 3 else "UTC"
            asked = {"zone": zone, "since": since, "until": until, "where": where}
            assert_same(store.ask(question, **parameters, **asked), ask_plainly(store, question, **parameters, **asked))


def run(store, steps):
    for turn, step in enumerate(steps):
        if isinstance(step, list):
            store.append(step)
        elif isinstance(step, Purge):
            store.purge(step)
        else:
            store.sum_days(BERLIN, NOW, step)
        if turn % 2:
            check(store, turn)
    store.sum_days(BERLIN, NOW, 100)
    for turn in (len(steps), len(steps) + 1):
        check(store, turn)


def one_of_each(number, **fields):
    started = START + timedelta(hours=4 * number)
    return entry(f"c{number}", owner=Owner(team="red" if number % 2 else "blue"), **{"started": started, **fields})


BY_HAND = [
    [one_of_each(number) for number in range(14)],
    100,
    [one_of_each(3, usd="7", revision=1), one_of_each(4, usd=None, revision=1)],  # another price, and none
    [one_of_each(5, revision=2, started=START + timedelta(days=4))],  # it began on another day
    2,
    [one_of_each(99, started=START + timedelta(hours=30))],  # late
    Purge(before=START + timedelta(days=3), team="red"),
    [one_of_each(3)],  # purged, and come again
]


@settings(max_examples=settings.default.max_examples // 10)
@given(STEPS)
@example(BY_HAND)
def test_sums_of_days_answer_as_entries_do(steps):
    with closing(open_store(":memory:")) as store:
        run(store, steps)


@settings(
    max_examples=max(1, settings.default.max_examples // 100),
    phases=tuple(Phase) if settings.default.max_examples > 50 else (Phase.explicit,),  # each takes seconds
    suppress_health_check=list(HealthCheck),
)
@given(STEPS)
@example(BY_HAND)
def test_so_they_do_on_clickhouse(empty_clickhouse, tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("rolled") / "chdb"
    shutil.copytree(empty_clickhouse, folder, symlinks=True)
    with closing(open_store(f"chdb://{folder}")) as store:
        run(store, steps)


def reads_sums(store, question, **parameters):
    """Whether a question reads sums."""
    return "FROM rollups" in prepare(question, parameters, store._figure_rows)[0]


def test_sums_are_read_where_they_keep_apart_what_is_asked_for(store):
    store.append(BY_HAND[0])
    asked = {"zone": BERLIN, "since": SPANS[0][0], "until": SPANS[0][1], "where": {}, "tag": ""}
    assert not reads_sums(store, "bill", by="team", **asked)

    assert store.sum_days(BERLIN, NOW, 100) == 4
    assert store.sum_days(BERLIN, NOW, 100) == 0
    assert reads_sums(store, "bill", by="team", **asked)
    assert reads_sums(store, "bill", by=["day", "user"], **(asked | {"tag": ["", ""]}))
    assert reads_sums(store, "spend_by_day", by="model", **(asked | {"where": {"team": "red"}}))
    assert reads_sums(store, "bill", by="team", **(asked | {"zone": "UTC"}))
    for question, other in (
        ("bill", {"by": "task"}),
        ("bill", {"by": "tag", "tag": "feature"}),
        ("bill", {"by": "team", "where": {"tag:feature": "chat"}}),
        ("bill", {"by": "team", "where": {"task": "t"}}),
        ("bill", {"by": "day", "zone": "UTC"}),
        ("spend_by_day", {"by": "team", "zone": "UTC"}),
    ):
        assert not reads_sums(store, question, **(asked | other)), other


def check_days_cut_otherwise(store, zone, first):
    store.append([entry(f"{zone}{hour}", started=first + timedelta(hours=hour, minutes=15)) for hour in range(72)])
    store.sum_days(zone, datetime(2027, 1, 1, tzinfo=UTC), 100)
    asked = {"zone": zone, "since": first - timedelta(days=2), "until": first + timedelta(days=9), "where": {}}
    for question, parameters in (("bill", {"by": "day", "tag": ""}), ("spend_by_day", {"by": "team", "tag": ""})):
        assert_same(store.ask(question, **parameters, **asked), ask_plainly(store, question, **parameters, **asked))


def test_days_that_the_engine_cuts_otherwise_are_read_from_entries(store):
    """In Newfoundland midnight came twice that night, since clocks went back a minute later."""
    check_days_cut_otherwise(store, "America/St_Johns", datetime(2006, 10, 28, 4, tzinfo=UTC))


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("America/Vancouver", datetime(2026, 10, 31, tzinfo=UTC)),  # newer tables of zones have no winter time there
        ("Pacific/Apia", datetime(2011, 12, 29, tzinfo=UTC)),  # a day was left out
    ],
)
def test_so_are_days_of_zones_whose_clocks_were_changed(ledger_in_memory, zone, first):
    check_days_cut_otherwise(ledger_in_memory, zone, first)


def test_sums_that_fit_no_column_keep_no_other_day_from_being_summed(store):
    store.append([*BY_HAND[0], *(entry(f"huge{n}", started=NOW, usage=Usage(2**62, 0, 0, 0, 0, 0)) for n in range(2))])
    assert store.sum_days(BERLIN, NOW + timedelta(days=2), 2) == 2

    assert store.sum_days(BERLIN, NOW + timedelta(days=2), 100) == 3
    assert store.sum_days(BERLIN, NOW + timedelta(days=2), 100) == 0
    asked = {"by": "team", "tag": "", "zone": BERLIN, "since": SPANS[0][0], "until": NOW, "where": {}}
    assert reads_sums(store, "bill", **asked)
    assert_same(store.ask("bill", **asked), ask_plainly(store, "bill", **asked))
