from datetime import UTC, datetime

from modicum.calls.facts import Facts


def facts(**more):
    return Facts(at=datetime(2026, 2, 3, tzinfo=UTC), model="m", **more)


def test_a_feature_finds_what_it_has_prepared_by_its_class():
    class Turn:
        pass

    turn = Turn()

    assert facts(features=("other", turn)).of(Turn) is turn
    assert facts(features=("other",)).of(Turn) is None


def test_a_key_without_patterns_may_use_all_models():
    assert facts().allows("anything")
    assert facts(allowed_models=("gpt-4o*", "o3")).allows("gpt-4o-mini")
    assert not facts(allowed_models=("gpt-4o*", "o3")).allows("o3-pro")
