import pytest

from modicum.calls import Owner, UserError
from modicum.calls.change import NO_CHANGE
from modicum.calls.rule import Rule, Safety
from modicum.settings import read_settings
from modicum.settings.optimize import OptimizeSettings, OwnerRules, optimize_fault, rule_choice_of

RULES = (Rule("toy.cut", lambda *_: NO_CHANGE, Safety.LOSSY),)


def test_settings_choose_rules_by_owner():
    settings = OptimizeSettings(owner=(OwnerRules(team="web", on=("toy",)),))

    choice = rule_choice_of(settings, lambda *_: 1.0, RULES)

    assert choice.of_owner(Owner("web")) == RULES
    assert choice.of_owner(Owner("ops")) == ()
    assert rule_choice_of(OptimizeSettings(enabled=False), lambda *_: 1.0, RULES) is None


def test_unknown_rules_and_shares_are_refused():
    assert optimize_fault(OptimizeSettings(on=("toy.cut",)), RULES) is None
    assert optimize_fault(OptimizeSettings(hold_out=1.0), RULES) == ("hold_out", "must be a share from 0 to below 1")
    assert optimize_fault(OptimizeSettings(owner=(OwnerRules(off=("toy.cat",)),)), RULES) == (
        "off",
        "names 'toy.cat'; accepted are all, toy, toy.cut",
    )


def test_the_file_is_refused_with_its_line(tmp_path):
    file = tmp_path / "modicum.toml"
    file.write_text("[optimize]\nenabled = true\non = ['nothing.such']\n")

    with pytest.raises(UserError, match=r"modicum.toml:3: optimize.on names 'nothing.such'; accepted are all"):
        read_settings({"MODICUM_CONFIG": str(file)})


def test_how_long_first_calls_wait_is_chosen_by_owner_and_bounded():
    settings = OptimizeSettings(beginnings_wait_s=2.0, owner=(OwnerRules(team="web", beginnings_wait_s=0.0),))

    assert (settings.beginnings_wait_for(Owner("web")), settings.beginnings_wait_for(Owner("ops"))) == (0.0, 2.0)
    assert not OptimizeSettings(enabled=False, beginnings_wait_s=2.0).shares_beginnings
    for wrong in (-1.0, 61.0, float("nan"), float("inf")):
        accepted = "beginnings_wait_s", "must be a number of seconds from 0 to 60"
        assert optimize_fault(OptimizeSettings(beginnings_wait_s=wrong), RULES) == accepted
        assert optimize_fault(OptimizeSettings(owner=(OwnerRules(beginnings_wait_s=wrong),)), RULES) == accepted


def test_times_to_live_are_chosen_by_owner_and_left_where_caches_are_kept_warm(tmp_path):
    settings = OptimizeSettings(
        cache_ttl="shorten", owner=(OwnerRules(team="web", cache_ttl="choose"), OwnerRules(team="ops", keep_warm=True))
    )

    assert [settings.cache_ttl_for(Owner(team)) for team in ("web", "ops", "x")] == ["choose", "leave", "shorten"]
    assert settings.widest_ttl_choice == "choose"
    assert not OptimizeSettings(enabled=False, cache_ttl="choose").chooses_ttl
    assert not OptimizeSettings(owner=(OwnerRules(team="web", cache_ttl="leave"),)).chooses_ttl
    file = tmp_path / "modicum.toml"
    file.write_text("[optimize]\ncache_ttl = '2h'\n")
    with pytest.raises(UserError, match=r"modicum.toml:2: .*\$.optimize.cache_ttl"):
        read_settings({"MODICUM_CONFIG": str(file)})


def test_tasks_are_held_out_of_pings_times_to_live_and_waits():
    def draw(_name, task):
        return 0.05 if task == "held" else 0.5

    warm, other = OptimizeSettings(keep_warm=True), OptimizeSettings(cache_ttl="choose", beginnings_wait_s=2.0)
    anybody = Owner()

    assert [warm.keeps_warm_for(anybody, task, draw) for task in ("held", "free", "")] == [False, True, True]
    assert [other.cache_ttl_for(anybody, task, draw) for task in ("held", "free")] == ["leave", "choose"]
    assert [other.beginnings_wait_for(anybody, task, draw) for task in ("held", "free")] == [0.0, 2.0]
    assert warm.features_for(anybody) == ("keep_warm",)
    assert other.features_for(anybody) == ("cache.ttl", "cache.beginnings")
    assert OptimizeSettings(enabled=False, keep_warm=True).features_for(anybody) == ()
