"""Energy in the ledger, from windows and calls to what each call drew; on both engines where SQL is asked."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.simulated_server import Truth, bursts, simulate
from modicum.calls import Basis, Call, Cost, EnergyWindow, Entry, Usage
from modicum.energy.watch_totals import list_energy_windows, make_report
from modicum.insights.energy_consumption import add_energy, find_time_span, share_energy, sum_energy
from modicum.ledger.records import ENERGY_WINDOWS

START = datetime.fromtimestamp(1_700_000_000, UTC)


def window(at=0.0, seconds=5.0, joules=1000.0, gpus=("GPU-0",), **fields):
    told = {
        "servers": ("http://gpu1:8000",),
        "provider": "own",
        "counted": True,
        "generated_tokens": 100.0,
        "prompt_tokens": 50.0,
        "cached_tokens": None,
        "steps": 50.0,
        "running_seconds": seconds,
        "busy_seconds": seconds,
    }
    started = START.timestamp() + at
    return EnergyWindow(started=started, seconds=seconds, joules=joules, gpus=gpus, **(told | fields))


def row(entry_id, start, end, provider="own", server="", **fields):
    return {
        "entry_id": entry_id, "name": "m", "task": "T", "provider": provider, "server": server,
        "started": START + timedelta(seconds=start), "first_token": None, "finished": START + timedelta(seconds=end),
        "computed_prompt_tokens": 50, "generated_tokens": 100, "is_chosen": 1,
    } | fields  # fmt: skip


def test_where_nothing_was_measured_nothing_is_known():
    assert sum_energy([]) is None
    assert share_energy([], [row("c", 0, 1)]) is None
    assert add_energy([{"name": "m", "task": "T"}], [], None) == [{"name": "m", "task": "T"}]


def test_pauses_are_idle_and_a_lower_bound_where_no_split_can_be_fitted():
    pause = window(5, joules=400.0, generated_tokens=0.0, prompt_tokens=0.0, running_seconds=0.0, busy_seconds=0.0)
    energy = sum_energy([window(), pause])

    assert (energy.measured * 3.6e6, energy.idle * 3.6e6, energy.busy * 3.6e6) == pytest.approx((1400, 400, 1000))
    assert (energy.basis, energy.idle_basis, energy.windows, energy.seconds) == (Basis.EXACT, Basis.LOWER_BOUND, 2, 10)


def test_power_that_was_summed_up_is_an_estimate():
    assert sum_energy([window(), window(5, counted=False)]).basis is Basis.ESTIMATED


def test_two_watches_of_one_gpu_are_not_counted_twice():
    energy = sum_energy([window(), window(2, servers=("http://gpu1:8001",)), window(3, gpus=("GPU-1",))])

    assert energy.measured * 3.6e6 == pytest.approx(2000)
    assert energy.windows_overlapping == 1


def test_a_long_watch_has_idle_by_the_split_and_its_windows_sum_to_what_was_measured():
    samples = simulate(Truth(), 300, 1, rate=bursts)
    energy = sum_energy(list_energy_windows(samples, "sim"))

    assert energy.measured * 3.6e6 == pytest.approx(make_report(samples, "sim").figures.joules)
    assert energy.idle_basis is Basis.ESTIMATED
    assert energy.idle * 3.6e6 == pytest.approx(75 * energy.seconds, rel=0.05)


def test_calls_belong_to_a_server_by_tag_or_by_provider():
    rows = [
        row("by provider", 0, 2),
        row("by tag", 0, 2, "other", "GPU1:8000"),
        row("elsewhere", 0, 2, "own", "gpu2:8000"),
        row("bought", 0, 2, "anthropic"),
        row("before", -9, -5),
    ]
    found = share_energy([window()], rows)

    assert found.measured_calls == {"by provider", "by tag"}
    unsaid = [window(provider="")]
    assert not share_energy(unsaid, rows[:1]).attribution.calls
    assert share_energy(unsaid, rows[:1], "own").measured_calls == {"by provider"}


def test_a_call_that_ran_partly_unwatched_has_a_share_and_is_not_measured():
    found = share_energy([window()], [row("c", 3, 9)])

    assert found.attribution.calls[0].joules > 0
    assert not found.measured_calls


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.floats(-3, 40), st.floats(0, 12)), max_size=10),
    st.lists(st.tuples(st.floats(0, 4), st.floats(0.5, 9), st.floats(0, 5000)), min_size=1, max_size=8),
)
def test_shares_idle_and_unseen_sum_to_what_was_measured(calls, drawn):
    windows, at = [], 0.0
    for pause, seconds, joules in drawn:
        at += pause
        windows.append(window(at, seconds, joules))
        at += seconds
    shared = share_energy(
        windows, [row(str(n), start, start + length) for n, (start, length) in enumerate(calls)]
    ).attribution

    total = sum(call.joules for call in shared.calls) + shared.idle_joules + shared.unseen_joules
    assert total == pytest.approx(sum(joules for *_, joules in drawn), abs=1e-6)


def test_a_tasks_energy_stands_once_beside_its_cells():
    rows = [row("c1", 0, 5), row("c2", 0, 5, task="U")]
    cells = [{"name": "m", "task": task, "basis": basis} for task in "TU" for basis in ("exact", "estimated")]
    told = add_energy(cells, rows, share_energy([window()], rows))

    assert [cell["calls_measured"] for cell in told] == [1, 0, 1, 0]
    assert sum(cell["joules"] for cell in told) == pytest.approx(1000)


def test_the_ledger_gives_the_calls_that_own_servers_may_have_served(store):
    def entry(call_id, provider, **fields):
        told = {"finished": START + timedelta(seconds=4), "usage": Usage(7, 5, 2, output_visible=3, output_reasoning=1)}
        call = Call(call_id=call_id, source="s", provider=provider, model="m", started=START, **(told | fields))
        return Entry(call, Cost.unknown())

    store.append(
        [
            entry("named", "own", task="T"),
            entry("tagged", "x", tags={"server": "gpu1:8000"}),
            entry("bought", "anthropic"),
            entry("asked for", "mine"),
            entry("no end", "own", finished=None),
            entry("uncounted", "own", usage_basis=Basis.UNKNOWN),
        ]
    )
    store.append_records(ENERGY_WINDOWS, [window(), window(5, provider="")])
    since, until = find_time_span(store.records(ENERGY_WINDOWS, START, START + timedelta(days=1)))
    span = {"since": since, "until": until, "by": "model", "tag": "", "zone": "UTC"}
    rows = store.ask("energy_calls", provider="mine", **span)
    found = share_energy(store.records(ENERGY_WINDOWS, START, START + timedelta(days=1)), rows)

    assert {told["entry_id"] for told in rows} == {"named", "tagged", "asked for"}
    assert {(told["computed_prompt_tokens"], told["generated_tokens"], told["name"]) for told in rows} == {(9, 4, "m")}
    assert found.measured_calls == {"named", "tagged"}
    assert msgspec.structs.asdict(found)["seconds"] == 10
