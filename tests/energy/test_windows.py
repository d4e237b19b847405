from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.simulated_server import Truth, bursts, simulate
from modicum.energy.samples import GpuReading, Sample, ServerReading
from modicum.energy.windows import join, measure, windows


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
    found = measure([sample(0), sample(1, tokens=50, steps=10), sample(2, tokens=90, steps=18)], "log")

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

    found = measure([*good, bad, *after], "log")

    assert any(says in str(problem) for problem in found.problems)
    assert (
        sum(interval.generated_tokens for interval in found.intervals) <= 170
    )  # a reset may hide tokens, never invent them
    assert all(interval.joules >= 0 for interval in found.intervals)


def test_a_jump_of_the_wall_clock_is_told_and_changes_no_figure():
    plain = [sample(n, tokens=10.0 * n, steps=n) for n in range(4)]
    jumped = [*plain[:2], *(msgspec.structs.replace(s, wall=s.wall + 3600) for s in plain[2:])]

    found = measure(jumped, "log")

    assert found.intervals == measure(plain, "log").intervals
    assert "wall clock jumped by +3600.0 s" in str(found.problems[0])


def test_no_gpu_reading_means_no_interval():
    found = measure([msgspec.structs.replace(sample(n), gpus=()) for n in range(3)], "log")

    assert found.intervals == ()
    assert "no GPU answered" in str(found.problems[0])


def test_a_server_that_does_not_count_tokens_is_told():
    blind = [msgspec.structs.replace(sample(n), servers=(ServerReading("h", "vllm", float(n)),)) for n in range(2)]

    assert "does not count generated tokens" in str(measure(blind, "log").problems[0])


def test_several_servers_and_gpus_are_added_up():
    def both(at):
        one = sample(at, tokens=10 * at, steps=at)
        other = msgspec.structs.replace(one.servers[0], server="http://other")
        return msgspec.structs.replace(
            one,
            servers=(one.servers[0], other),
            gpus=(one.gpus[0], GpuReading("H", at, energy_joules=at * 100, power_watts=100.0)),
        )

    (found,) = measure([both(0), both(1)], "log").intervals

    assert (found.joules, found.generated_tokens, found.steps) == (400, 20, 2)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000))
def test_windows_are_five_seconds_or_longer_and_lose_nothing_but_their_ends(seed):
    measured = measure(simulate(Truth(), 60, seed, rate=bursts), "sim")

    found = windows(measured.intervals)

    assert all(window.seconds >= 5.0 for window in found)
    whole = join(measured.intervals)
    assert sum(window.joules for window in found) <= whole.joules * (1 + 1e-9)
    assert all(first.end <= second.start + 1e-9 for first, second in pairwise(found))


def test_the_same_samples_are_cut_the_same_way_twice():
    samples = simulate(Truth(), 120, 3, rate=bursts)

    assert windows(measure(samples, "a").intervals) == windows(measure(samples, "b").intervals)


def test_a_pause_begins_a_new_window():
    quiet = [sample(n, tokens=60.0, steps=6, running=0.0) for n in range(7, 20)]
    busy = [sample(n, tokens=10.0 * n, steps=n) for n in range(7)]

    found = windows(measure([*busy, *quiet], "log").intervals)

    assert [window.quiet for window in found] == [False, True]
