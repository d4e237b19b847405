from modicum.calls import Owner
from modicum.calls.change import NO_CHANGE
from modicum.calls.rule import Rule, Safety
from modicum.optimizers.rule_choice import OwnerChoice, RuleChoice


def rule(name, safety, *, is_cache_safe=True):
    return Rule(name, lambda *_: NO_CHANGE, safety, is_cache_safe)


SAFE = rule("content.minify", Safety.LOSSLESS)
UNSAFE = rule("content.move", Safety.LOSSLESS, is_cache_safe=False)
CUT = rule("content.cut", Safety.REVERSIBLE)
RULES = SAFE, UNSAFE, CUT


def names(rules):
    return [one.name for one in rules]


def test_only_what_is_lossless_and_cache_safe_runs_by_itself():
    choice = RuleChoice(RULES)

    assert names(choice.of_owner(Owner())) == ["content.minify"]
    assert choice.why_off(CUT, Owner()) == "it is reversible, so its owner has to choose it"


def test_later_choices_outweigh_earlier_ones_for_their_owners_alone():
    everybody = OwnerChoice(on=("content",))
    ops = OwnerChoice(team="ops", off=("all",))
    app = OwnerChoice(team="ops", app="bot", on=("content.cut",))
    choice = RuleChoice(RULES, (everybody, ops, app))

    assert names(choice.of_owner(Owner("web"))) == ["content.minify", "content.move", "content.cut"]
    assert names(choice.of_owner(Owner("ops"))) == []
    assert names(choice.of_owner(Owner("ops", "bot"))) == ["content.cut"]
    assert choice.why_off(SAFE, Owner("ops")) == "the settings switch it off"


def test_tasks_are_held_out_of_chosen_rules_and_never_of_default_ones():
    choice = RuleChoice(RULES, (), 0.3, lambda _, task: 0.2 if task == "held" else 0.4)

    assert choice.held_out(RULES, "held") == {"content.move", "content.cut"}
    assert choice.held_out(RULES, "other") == frozenset()
    assert choice.held_out(RULES, "") == frozenset()
