from hypothesis import given
from hypothesis import strategies as st

from modicum.governance.circuits import CLOSED, MOST_OUTCOMES, PROBE_LASTS_S, Circuit, admit, after_call

CIRCUIT = Circuit(share=0.5, fewest_calls=4, window_s=10.0, open_s=5.0)


def run(state, outcomes, at_s=0.0):
    for failed in outcomes:
        state = after_call(CIRCUIT, state, failed=failed, was_probe=False, now_s=at_s)
    return state


def test_it_opens_at_its_share_of_failures_and_not_for_few_calls():
    assert run(CLOSED, [True] * 3).opened_s is None
    assert run(CLOSED, [True] * 4).opened_s == 0.0
    assert run(CLOSED, [False, False, False, True]).opened_s is None
    assert run(CLOSED, [False, False, True, True]).opened_s == 0.0


def test_a_success_never_opens_it_and_old_outcomes_are_forgotten():
    assert run(CLOSED, [True, True, True, False]).opened_s is None
    old = run(CLOSED, [True] * 3)
    assert run(old, [True], at_s=11.0).opened_s is None


def test_open_it_lets_nobody_there_then_one_that_tries():
    state = run(CLOSED, [True] * 4)
    assert admit(CIRCUIT, state, 1.0).wait_s == 4.0
    first = admit(CIRCUIT, state, 5.0)
    assert (first.is_probe, first.wait_s) == (True, None)
    assert admit(CIRCUIT, first.state, 5.0).wait_s == 5.0

    def after(failed):
        return after_call(CIRCUIT, first.state, failed=failed, was_probe=True, now_s=6.0)

    assert after(failed=False) == CLOSED
    assert after(failed=True).opened_s == 6.0
    assert admit(CIRCUIT, after(failed=None), 6.0).is_probe  # the caller left: another one tries


def test_calls_that_began_before_it_opened_are_no_news():
    state = run(CLOSED, [True] * 4)
    assert run(state, [True, False], at_s=3.0) == state


@given(st.lists(st.tuples(st.sampled_from([True, False, None]), st.floats(0, 20)), max_size=200))
def test_it_stays_small_and_never_shuts_for_ever(steps):
    state, now_s = CLOSED, 0.0
    for failed, passes_s in steps:
        now_s += passes_s
        verdict = admit(CIRCUIT, state, now_s)
        state = verdict.state
        if verdict.wait_s is None:
            state = after_call(CIRCUIT, state, failed=failed, was_probe=verdict.is_probe, now_s=now_s)
        assert len(state.outcomes) <= MOST_OUTCOMES
    assert admit(CIRCUIT, state, now_s + CIRCUIT.open_s + PROBE_LASTS_S).wait_s is None


def test_a_call_that_tries_and_never_ends_does_not_keep_it_open_for_ever():
    state = admit(CIRCUIT, run(CLOSED, [True] * 4), 5.0).state
    assert admit(CIRCUIT, state, 5.0 + PROBE_LASTS_S - 1).wait_s == CIRCUIT.open_s
    assert admit(CIRCUIT, state, 5.0 + PROBE_LASTS_S).is_probe
