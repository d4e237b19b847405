import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.simulated_server import Truth, bursts, simulate
from modicum.energy.attribution import ServedCall, attribute, attribute_spans, merge_attributions, read_calls
from modicum.energy.energy_split import fit_split
from modicum.energy.regime_spans import RegimeSpan
from modicum.energy.sample_intervals import measure_intervals
from modicum.energy.window_cutter import Interval, cut_windows


def interval(start, end, joules, *, tokens=0.0, prompt=0.0, steps=0.0, running=1.0, busy=None):
    seconds = end - start
    busy = seconds if busy is None else busy
    return Interval(start, end, joules, tokens, prompt, 0.0, steps, running * seconds, busy, 0.0)


@pytest.fixture(scope="module")
def law():
    measured = measure_intervals(simulate(Truth(), 900, 1, rate=bursts), "sim")
    return fit_split(measured.intervals, cut_windows(measured.intervals))


def call(name, start, end, *, first=None, prompt=100, tokens=50):
    return ServedCall(name, start, start + 0.1 if first is None else first, end, prompt, tokens)


calls_drawn = st.lists(
    st.tuples(st.floats(0, 20), st.floats(0.05, 8), st.integers(0, 2000), st.integers(0, 400)), max_size=12
)


@settings(max_examples=60, deadline=None)
@given(calls_drawn, st.lists(st.floats(100, 5000), min_size=1, max_size=8), st.booleans())
def test_shares_idle_and_unseen_sum_to_what_was_measured(law, drawn, joules, with_law):
    calls = [
        ServedCall(str(n), start, start + length / 3, start + length, prompt, tokens)
        for n, (start, length, prompt, tokens) in enumerate(drawn)
    ]
    intervals = [
        interval(3.0 * n, 3.0 * n + 3, part, tokens=900, prompt=300, steps=200, running=4)
        for n, part in enumerate(joules)
    ]

    found = attribute(intervals, calls, law if with_law else None)

    total = sum(one.joules for one in found.calls) + found.idle_joules + found.unseen_joules
    assert total == pytest.approx(sum(joules))
    assert found.unseen_joules >= -1e-6
    assert all(one.joules >= 0 for one in found.calls)


def test_equal_calls_that_run_together_pay_the_same(law):
    busy = [interval(0, 5, 2000, tokens=100, prompt=200, steps=500, running=2)]

    first, second = attribute(busy, [call("a", 0, 5), call("b", 0, 5)], law).calls

    assert first.joules == pytest.approx(second.joules)


def test_a_lone_call_pays_more_than_one_in_a_batch(law):
    alone = attribute([interval(0, 5, 2000, tokens=50, prompt=100, steps=500)], [call("a", 0, 5)], law)
    together = attribute(
        [interval(0, 5, 2000, tokens=100, prompt=200, steps=500, running=2)], [call("a", 0, 5), call("b", 0, 5)], law
    )

    assert alone.calls[0].joules > 1.8 * together.calls[0].joules


def test_work_that_no_call_explains_is_unseen_and_charged_to_nobody(law):
    busy = [interval(0, 5, 2000, tokens=1000, prompt=2000, steps=500, running=10)]

    found = attribute(busy, [call("a", 0, 5)], law)

    assert found.unseen_joules > 0.8 * (2000 - found.idle_joules)


def test_a_pause_is_idle(law):
    found = attribute([interval(0, 5, 400, running=0, busy=0)], [], law)

    assert (found.idle_joules, found.unseen_joules) == (400, 0)


def test_short_calls_are_marked(law):
    found = attribute([interval(0, 5, 2000, tokens=50, steps=500)], [call("a", 1, 2), call("b", 0, 4)], law)

    assert [one.short for one in found.calls] == [True, False]


def test_without_a_law_time_in_the_server_decides():
    found = attribute([interval(0, 4, 1000, tokens=50, running=2)], [call("a", 0, 4), call("b", 2, 4)], None)

    assert found.rule == "occupancy"
    assert found.calls[0].joules == pytest.approx(2 * found.calls[1].joules)


def test_calls_are_read_from_lines(tmp_path):
    row = {"call_id": "a", "started": 110.0, "first_token": 111.0, "finished": 115.0}
    row |= {"uncached_prompt_tokens": 5, "generated_tokens": 7}
    path = tmp_path / "calls.jsonl"
    path.write_text("\n".join([json.dumps(row), "{}", json.dumps({**row, "finished": 100.0}), ""]))

    calls, problems = read_calls(path)

    assert [(one.started, one.first_token, one.finished) for one in calls] == [(110.0, 111.0, 115.0)]
    assert [problem.line for problem in problems] == [2, 3]


def test_a_call_that_ran_in_two_stretches_has_a_part_of_both():
    calls = [ServedCall("a", 0.0, None, 20.0, 10, 10)]
    one, other = (RegimeSpan((interval(start, start + 10, 100.0),), None) for start in (0.0, 10.0))

    found = attribute_spans([one, other], calls)

    assert len(found.calls) == 1
    assert found.calls[0].joules == pytest.approx(found.measured_joules)
    assert found.rule == "occupancy"


def test_rules_that_differ_are_mixed(law):
    parts = attribute([interval(0.0, 10.0, 50.0)], [], law), attribute([interval(10.0, 20.0, 70.0)], [], None)

    assert merge_attributions(parts).rule == "mixed"
    assert merge_attributions(parts).measured_joules == sum(part.measured_joules for part in parts)
