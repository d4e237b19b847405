from modicum.settings.governance.policy import ClauseSettings, PolicySettings, policy_fault, policy_of


def test_an_empty_list_is_a_limit_and_no_list_is_none():
    assert policy_fault(PolicySettings(clause=(ClauseSettings(name="a", models=()),))) is None
    assert policy_fault(PolicySettings(clause=(ClauseSettings(name="a"),))).key == "name"


def test_every_setting_of_a_clause_reaches_the_policy():
    settings = PolicySettings(clause=(ClauseSettings(name="a", not_models=("x",), most_effort="low", team="t"),))

    (clause,) = policy_of(settings).clauses
    assert (clause.not_models, clause.most_effort, clause.team) == (("x",), "low", "t")
