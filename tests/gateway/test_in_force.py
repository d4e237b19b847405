from types import SimpleNamespace

from modicum.calls.rule import Rule
from modicum.gateway.in_force import InForce, plan_calls, plan_plain_calls


def test_a_call_may_go_elsewhere_only_if_somebody_may_send_it_there():
    plain = InForce(owners=None, upstreams=None)

    assert not plain.may_divert
    assert plain._replace(rules=(Rule("toy", lambda prompt, facts: None),)).may_divert  # noqa: ARG005
    assert plain._replace(answerers=("one",)).may_divert
    assert plain._replace(sources=("one",)).may_divert


def test_who_passes_every_call_on_does_not_stand_in_its_way():
    upstream = SimpleNamespace(name="upstream")
    cache = SimpleNamespace(passes_all_to=None)
    off = SimpleNamespace(passes_all_to=SimpleNamespace(passes_all_to=upstream))
    in_force = InForce(owners=None, upstreams=None)

    assert plan_calls(in_force, off).upstream is upstream
    assert plan_calls(in_force, SimpleNamespace(passes_all_to=cache)).upstream is cache
    assert not plan_calls(in_force, off).may_be_changed


def test_calls_of_a_plan_are_of_no_features_business():
    in_force = InForce(owners=None, upstreams=None, sources=("one",), answerers=("two",))
    upstream = SimpleNamespace(name="upstream")
    all_calls, plain = plan_calls(in_force, upstream), plan_plain_calls(in_force, upstream)

    assert (all_calls.sources, all_calls.answerers, all_calls.may_be_changed) == (("one",), ("two",), True)
    assert (plain.sources, plain.answerers, plain.may_be_changed, plain.is_plain) == ((), (), False, True)
