import msgspec
import pytest

from energy.simulated_server import Truth, bursts, simulate
from modicum.calls.energy_window import name_regime
from modicum.energy.watch_totals import SPLIT_S, WatchTotals, list_energy_windows, make_report, write_windows

SERVER = "http://127.0.0.1:8000"


def test_a_report_has_totals_the_last_half_minute_and_the_split():
    found = make_report(simulate(Truth(), 400, 2, rate=bursts), "sim")

    assert found.figures.seconds > 390
    assert 29 <= found.last.seconds <= 32
    assert found.split.windows == found.windows
    assert found.energy_counted is True


def test_a_report_of_nothing_has_no_figures():
    assert make_report([], "none").figures is None


def test_windows_become_records_for_a_ledger(tmp_path):
    samples = simulate(Truth(), 60, 2, rate=bursts)

    records = list_energy_windows(samples, "sim")
    write_windows(tmp_path / "windows.jsonl", records)

    assert records[0].started == pytest.approx(1_700_000_000, abs=10)
    assert (records[0].gpus, records[0].counted) == (("GPU-0",), True)
    assert len((tmp_path / "windows.jsonl").read_text().splitlines()) == len(records) >= 8
    assert list_energy_windows([], "none") == ()


def tally_of(samples):
    tally = WatchTotals("sim", ["GPU-0"], [SERVER])
    return tally, [list(tally.add(sample)) for sample in samples], tally.finish()


def test_a_window_comes_out_within_a_few_seconds_of_its_end_and_is_never_changed_later():
    samples = simulate(Truth(), 120, 3, rate=bursts)
    _, live, rest = tally_of(samples)

    for sample, closed in zip(samples, live, strict=True):
        for window in closed:
            assert -1e-3 <= sample.wall - (window.started + window.seconds) < 5
    assert (*(window for closed in live for window in closed), *rest) == list_energy_windows(samples, "sim")


def test_a_watch_that_was_killed_has_booked_all_but_the_window_under_way():
    samples = simulate(Truth(), 120, 3, rate=bursts)
    killed = samples[: len(samples) // 2]
    _, live, rest = tally_of(killed)

    closed = [window for windows in live for window in windows]
    assert tuple(closed) == list_energy_windows(samples, "sim")[: len(closed)]
    assert len(rest) <= 2  # of a pause and the work beside it
    assert closed[-1].started + closed[-1].seconds > killed[-1].wall - 10


def restarted(samples, model="n"):
    """The server starts again half way through, with another model."""
    half = len(samples) // 2
    later = [
        msgspec.structs.replace(
            sample,
            servers=tuple(msgspec.structs.replace(r, started=r.started + 60, model=model) for r in sample.servers),
        )
        for sample in samples[half:]
    ]
    return [*samples[:half], *later]


def test_a_restart_begins_a_regime_and_the_split_is_of_the_last_one():
    samples = restarted(simulate(Truth(), 600, 3, rate=bursts))
    found = make_report(samples, "sim")

    assert found.regimes == 2
    assert found.split_seconds == pytest.approx(300, abs=10)
    assert found.figures.seconds == pytest.approx(600, abs=10)
    assert {window.regime for window in list_energy_windows(samples, "sim")} == {
        name_regime([("", 1_699_999_000)], []),
        name_regime([("n", 1_699_999_060)], []),
    }


def test_what_is_older_than_a_day_is_summed_up_and_forgotten():
    tally, _, _ = tally_of(simulate(Truth(), 60, 3, rate=bursts))
    before = tally.report()
    later = [
        msgspec.structs.replace(
            sample,
            at=sample.at + SPLIT_S + 900,
            wall=sample.wall + SPLIT_S + 900,
            gpus=tuple(
                msgspec.structs.replace(r, at=r.at + SPLIT_S + 900, energy_joules=r.energy_joules + 1e6)
                for r in sample.gpus
            ),
            servers=tuple(msgspec.structs.replace(r, at=r.at + SPLIT_S + 900) for r in sample.servers),
        )
        for sample in simulate(Truth(), 60, 3, rate=bursts)
    ]
    for sample in later:
        tally.add(sample)
    tally.finish()
    after = tally.report()

    assert after.figures.joules > 1.8 * before.figures.joules
    assert after.split_seconds == pytest.approx(before.split_seconds, abs=5)


def test_a_server_that_did_not_answer_for_long_is_one_note():
    samples = simulate(Truth(), 90, 3, rate=bursts)
    silent = [msgspec.structs.replace(s, servers=(), missing=("no answer",)) if 30 < s.at < 60 else s for s in samples]

    texts = [str(problem) for problem in make_report(silent, "sim").problems]

    assert len(texts) == 2
    assert "intervals left out" in texts[0]
    assert texts[1].endswith("times)")
