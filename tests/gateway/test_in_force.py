from modicum.calls.rule import Rule
from modicum.gateway.in_force import InForce


def test_a_call_may_go_elsewhere_only_if_somebody_may_send_it_there():
    plain = InForce(owners=None, upstreams=None)

    assert not plain.may_divert
    assert plain._replace(rules=(Rule("toy", lambda prompt, facts: None),)).may_divert  # noqa: ARG005
    assert plain._replace(answerers=("one",)).may_divert
    assert plain._replace(sources=("one",)).may_divert
