import pytest

from modicum.calls import UserError
from modicum.energy.bench import FORMAT, BenchResult, measure_point, read_result, write_result
from modicum.energy.load_generator import LoadRun, LoadStream
from modicum.energy.samples import GpuFacts, GpuReading

GPU = GpuFacts("G", "H100", "nvml", has_energy_counter=True)


def run(concurrency=2, *, streams=None, client_load=0.1, failures=0, resent=0, end=10.0):
    if streams is None:
        streams = [
            LoadStream(start, [start + 0.2 + n * 0.02 for n in range(100)], start + 2.2, 50, 100)
            for _ in range(concurrency)
            for start in (0.0, 2.3, 4.6, 6.9)
        ]
    reasons = {"it broke": failures - 1, "503": 1} if failures else {}
    return LoadRun(concurrency, streams, 0.5, end, failures, client_load, reasons, resent)


def readings(watts=400.0, limit=700.0, until=12):
    return [
        GpuReading("G", t / 2, energy_joules=watts * t / 2, power_watts=watts, power_limit_watts=limit)
        for t in range(until * 2)
    ]


def test_rates_times_and_joules_of_the_steady_window():
    found = measure_point(run(), 1, readings(), [GPU])

    assert found.time_between_tokens_s[0] == pytest.approx(0.02)
    assert found.time_to_first_token_s[0] == pytest.approx(0.2)
    assert found.joules == pytest.approx(400 * 9.5)
    assert found.tokens_per_second == pytest.approx(770 / 9.5, rel=0.02)
    assert found.joules_per_generated_token == pytest.approx(400 * 9.5 / 770, rel=0.02)
    assert found.tokens_per_watt == pytest.approx(1 / found.joules_per_generated_token)
    assert (found.mean_watts, found.power_limit_watts, found.finished) == (pytest.approx(400), 700, 8)
    assert found.remarks == ()


def test_several_tokens_in_one_piece_are_counted_by_the_usage_record():
    streams = [LoadStream(0.0, [0.6 + n * 0.1 for n in range(50)], 5.6, 50, 200) for _ in range(2)]

    found = measure_point(run(streams=streams), 1, readings(), [GPU])

    assert found.time_between_tokens_s[0] == pytest.approx(0.025)
    assert found.tokens_per_second == pytest.approx(400 / 9.5)


def test_without_gpus_energy_is_unknown():
    found = measure_point(run(), 1, [], [])

    assert (found.joules, found.joules_per_generated_token, found.tokens_per_watt) == (None, None, None)


@pytest.mark.parametrize(
    ("made", "read", "says"),
    [
        (run(client_load=0.95), readings(), "may have been the limit"),
        (run(end=3.0), readings(), "shorter than 5 s"),
        (run(failures=3), readings(), "3 requests failed: 2 x it broke; 1 x 503"),
        (run(resent=4), readings(), "closes connections after a reply"),
        (run(), readings(until=4), "do not cover the window"),
        (run(concurrency=2, streams=run().streams[:1]), readings(), "fewer requests finished"),
    ],
)
def test_doubts_are_remarked(made, read, says):
    assert says in " ".join(measure_point(made, 1, read, [GPU]).remarks)


def test_a_run_in_which_nothing_finished_is_refused():
    with pytest.raises(UserError, match="--seconds longer"):
        measure_point(run(streams=[LoadStream(0.0, [0.6])]), 1, readings(), [GPU])


def test_a_result_is_kept_and_read_again(tmp_path):
    result = BenchResult(FORMAT, "m", (GPU,), (measure_point(run(), 1, readings(), [GPU]),))
    write_result(tmp_path / "points.json", result)

    assert read_result(tmp_path / "points.json") == result


@pytest.mark.parametrize(("content", "says"), [("{}", "not a result"), ("x", "not a result"), (None, "cannot be read")])
def test_another_file_is_refused(tmp_path, content, says):
    path = tmp_path / "points.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(UserError, match=says):
        read_result(path)
