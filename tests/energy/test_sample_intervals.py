import msgspec
import pytest

from energy.simulated_server import Truth, bursts, simulate
from modicum.energy.sample_intervals import IntervalBuilder, measure_intervals
from modicum.energy.samples import GpuReading, Sample, ServerReading


def sample(at, *, joules=None, tokens=0.0, steps=0.0, running=1.0, wall=None, started=1.0, **server):
    return Sample(
        at=at,
        wall=1e9 + at if wall is None else wall,
        gpus=(GpuReading("G", at, energy_joules=at * 300 if joules is None else joules, power_watts=300.0),),
        servers=(
            ServerReading(
                "http://h", "vllm", at, 100.0 + tokens, 40.0, tokens, steps, running, 0.0, None, started, **server
            ),
        ),
    )


def test_an_interval_holds_the_joules_and_tokens_between_two_samples():
    found = measure_intervals([sample(0), sample(1, tokens=50, steps=10), sample(2, tokens=90, steps=18)], "log")

    first, second = found.intervals
    assert (first.joules, first.generated_tokens, first.prompt_tokens, first.steps) == (300, 50, 50, 10)
    assert (second.joules, second.generated_tokens) == (300, 40)
    assert found.problems == ()


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (sample(2, tokens=10, steps=1), "was reset"),
        (sample(2, tokens=90, steps=18, started=9.0), "was restarted"),
        (sample(0.5, tokens=90, steps=18), "clock went back"),
        (msgspec.structs.replace(sample(2), servers=()), "did not answer"),
        (sample(2, tokens=90, steps=18, joules=5.0), "energy counter of G was reset"),
    ],
)
def test_what_cannot_be_used_is_left_out_and_told(bad, says):
    good = [sample(0), sample(1, tokens=50, steps=10)]
    after = [sample(3, tokens=130, steps=30, joules=1500.0, started=bad.servers[0].started if bad.servers else 1.0)]

    found = measure_intervals([*good, bad, *after], "log")

    assert any(says in str(problem) for problem in found.problems)
    assert (
        sum(interval.generated_tokens for interval in found.intervals) <= 170
    )  # a reset may hide tokens, never invent them
    assert all(interval.joules >= 0 for interval in found.intervals)


def test_a_jump_of_the_wall_clock_is_told_and_changes_no_figure():
    plain = [sample(n, tokens=10.0 * n, steps=n) for n in range(4)]
    jumped = [*plain[:2], *(msgspec.structs.replace(s, wall=s.wall + 3600) for s in plain[2:])]

    found = measure_intervals(jumped, "log")

    assert [one.joules for one in found.intervals] == [one.joules for one in measure_intervals(plain, "log").intervals]
    assert "wall clock jumped by +3600.0 s" in str(found.problems[0])


def test_no_gpu_reading_means_no_interval():
    found = measure_intervals([msgspec.structs.replace(sample(n), gpus=()) for n in range(3)], "log")

    assert found.intervals == ()
    assert "no GPU answered" in str(found.problems[0])


def test_a_server_that_does_not_count_tokens_is_told():
    blind = [msgspec.structs.replace(sample(n), servers=(ServerReading("h", "vllm", float(n)),)) for n in range(2)]

    assert "does not count generated tokens" in str(measure_intervals(blind, "log").problems[0])


def test_several_servers_and_gpus_are_added_up():
    def both(at):
        one = sample(at, tokens=10 * at, steps=at)
        other = msgspec.structs.replace(one.servers[0], server="http://other")
        return msgspec.structs.replace(
            one,
            servers=(one.servers[0], other),
            gpus=(one.gpus[0], GpuReading("H", at, energy_joules=at * 100, power_watts=100.0)),
        )

    (found,) = measure_intervals([both(0), both(1)], "log").intervals

    assert (found.joules, found.generated_tokens, found.steps) == (400, 20, 2)


def test_after_a_jump_of_the_wall_clock_windows_stand_at_the_new_time():
    samples = [sample(n, tokens=10.0 * n, steps=n, wall=1e9 + n + (3600 if n > 2 else 0)) for n in range(6)]

    found = measure_intervals(samples, "log")

    assert [interval.wall_offset for interval in found.intervals] == [1e9, 1e9, 1e9, 1e9 + 3600, 1e9 + 3600]


def test_intervals_come_out_as_soon_as_nothing_can_change_them():
    samples = simulate(Truth(), 30, 1, rate=bursts)
    measuring = IntervalBuilder("sim", ["GPU-0"])

    early = [interval for one in samples for interval in measuring.add(one)]

    assert early == list(measure_intervals(samples, "sim").intervals)[: len(early)]
    assert len(early) >= len(samples) - 2


def test_a_gpu_that_falls_silent_is_named_and_its_time_left_out():
    """As one that has fallen off the bus: the watch goes on, and what it cannot know is left out."""
    samples = [
        msgspec.structs.replace(one, gpus=one.gpus if one.at < 100 else ())
        for one in (sample(float(n), tokens=10.0 * n, steps=n) for n in range(400))
    ]
    found = measure_intervals(samples, "log", ["G"])

    assert found.intervals[-1].end == 99
    assert [str(problem) for problem in found.problems] == [
        "log: between samples 100 and 400: no energy reading of G; 300 intervals left out"
    ]


def test_of_several_gpus_none_may_be_missing():
    found = measure_intervals([sample(n, tokens=10.0 * n, steps=n) for n in range(5)], "log", ["G", "H"])

    assert found.intervals == ()
    assert "no energy reading of H; 3 intervals" in str(found.problems[0])


def test_another_model_on_the_same_server_is_told():
    def one(at, model):
        plain = sample(at, tokens=10.0 * at, steps=at)
        return msgspec.structs.replace(plain, servers=(msgspec.structs.replace(plain.servers[0], model=model),))

    found = measure_intervals([one(0, "a"), one(1, "a"), one(2, "b"), one(3, "b")], "log")

    assert [interval.regime for interval in found.intervals] == ['[[["a",1]],[]]', '[[["b",1]],[]]']
    assert "changed its model from 'a' to 'b'" in str(found.problems[0])


def test_a_server_that_does_not_say_when_it_started_begins_a_regime_when_its_counters_do():
    def one(at, tokens):
        plain = sample(at, tokens=tokens, steps=at)
        return msgspec.structs.replace(plain, servers=(msgspec.structs.replace(plain.servers[0], started=None),))

    found = measure_intervals([one(0, 10.0), one(1, 20.0), one(2, 5.0), one(3, 9.0)], "log")

    assert [interval.regime for interval in found.intervals] == ['[[["",null]],[]]', '[[["",1000000002]],[]]']


def test_a_power_limit_that_is_set_begins_a_regime():
    def one(at, limit):
        plain = sample(at, tokens=10.0 * at, steps=at)
        return msgspec.structs.replace(plain, gpus=(msgspec.structs.replace(plain.gpus[0], power_limit_watts=limit),))

    found = measure_intervals([one(0, 700.0), one(1, 700.0), one(2, 400.0), one(3, None)], "log")

    assert [interval.regime[-6:] for interval in found.intervals] == ["[700]]", "[400]]", "[400]]"]
