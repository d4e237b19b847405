from modicum.governance.policy import CallPolicy, Clause
from modicum.governance.policy_reach import Way, find_reach, warnings_of

WAYS = Way("openai", "openai", "us", ("gpt-*",)), Way("eu", "azure", "eu", ("*-mini",))


def test_a_policy_that_forbids_everything_is_seen_with_its_reason():
    reach = find_reach(CallPolicy(clauses=(Clause(name="none", models=()),)), WAYS)

    (warning,) = warnings_of(reach, "policy.toml")
    assert warning == (
        "policy.toml forbids every call: the clause 'none' of the policy does not allow this model; it allows none at "
        "all; all calls are refused until it says otherwise"
    )


def test_clauses_that_leave_nothing_together_are_seen_too():
    clauses = Clause(name="a", providers=("openai",)), Clause(name="b", regions=("eu",))

    assert "forbids every call" in warnings_of(find_reach(CallPolicy(clauses=clauses), WAYS), "p")[0]


def test_a_class_that_can_go_nowhere_is_named():
    policy = CallPolicy(
        clauses=(Clause(name="a", data_class="secret", providers=("own",)),), data_classes=("public", "secret")
    )

    reach = find_reach(policy, WAYS)
    assert [one.ways for one in reach] == [("openai", "eu"), ()]
    assert "of the data class 'secret' go nowhere" in warnings_of(reach, "p")[0]


def test_what_patterns_leave_open_is_open():
    policy = CallPolicy(clauses=(Clause(name="a", models=("gpt-4*",)), Clause(name="b", not_models=("gpt-4o",))))

    assert find_reach(policy, WAYS)[0].ways == ("openai", "eu")
    assert warnings_of(find_reach(policy, WAYS), "p") == []


def test_limits_that_no_call_can_keep_forbid_everything():
    assert find_reach(CallPolicy(clauses=(Clause(name="a", most_prompt_tokens=0),)), WAYS)[0].ways == ()
