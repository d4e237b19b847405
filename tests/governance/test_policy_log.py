from datetime import UTC, datetime

from modicum.governance.policy import CallPolicy, Clause
from modicum.governance.policy_log import audit_policy, changes_between, fold_policy, parts_of

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def changes(former, policy):
    return changes_between(former, parts_of(policy), NOW, "ann")


def test_every_change_is_an_event_and_their_fold_is_the_policy():
    first = CallPolicy(clauses=(Clause(name="a", models=("x",)), Clause(name="b", models=())), data_classes=("p",))
    second = CallPolicy(clauses=(Clause(name="a", models=("y",)), Clause(name="c", models=())), data_classes=("p",))

    events = changes({}, first)
    later = changes(fold_policy(events), second)

    assert [(event.what, event.part) for event in later] == [
        ("changed", "clause a"),
        ("removed", "clause b"),
        ("added", "clause c"),
    ]
    assert fold_policy([*events, *later]) == parts_of(second)
    assert changes(fold_policy([*events, *later]), second) == []
    lines = audit_policy(later)
    assert (lines[0].kind, lines[0].by, lines[0].subject) == ("policy", "ann", "clause a")
    assert '"y"' in lines[0].details["now"]
    assert '"x"' in lines[0].details["before"]
    assert len({line.event_id for line in lines}) == 3
