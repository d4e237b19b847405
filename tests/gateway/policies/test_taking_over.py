import json

import pytest

from gateway.policies.policy_rig import policy_settings, under_policy
from modicum.gateway.policies.authorising import Authorising
from modicum.gateway.policies.taking_over import policy_warnings, record_policy, take_over_policy
from modicum.gateway.process.from_settings import upstreams_of
from modicum.governance.policy_log import PolicyEvent
from modicum.ledger.events import EventFile
from modicum.settings import Settings


@pytest.fixture
def events(tmp_path):
    file = EventFile(tmp_path / "events.sqlite")
    yield file
    file.close()


def settings_with(*clauses, file="policy.toml", **more):
    return Settings(policy_rules=policy_settings(*clauses, file=file), **more)


def lines(capfd):
    return [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]


def test_every_change_is_one_event_with_who_owns_the_file(events, tmp_path):
    path = tmp_path / "policy.toml"
    path.touch()
    first = settings_with({"models": ["a"]}, file=str(path))

    (added,) = record_policy(first, events)
    assert (added.what, added.part, added.by) == ("added", "clause only", path.owner())
    assert record_policy(first, events) == []
    (changed,) = record_policy(settings_with({"models": ["b"]}, file=str(path)), events)
    assert (changed.what, '"a"' in changed.former, '"b"' in changed.definition) == ("changed", True, True)
    (removed,) = record_policy(Settings(), events)
    assert (removed.what, removed.by) == ("removed", "policy removed")
    assert [event.what for event in events.read("policy", PolicyEvent)] == ["added", "changed", "removed"]


def test_one_process_of_several_records_and_speaks(events, capfd):
    settings, authorising = settings_with({"models": []}), Authorising()

    take_over_policy(authorising, settings, upstreams_of(settings), events, records=False)
    assert authorising.is_active
    assert events.read("policy", PolicyEvent) == []
    take_over_policy(authorising, settings, upstreams_of(settings), events, records=True)

    said = lines(capfd)
    assert [line["event"] for line in said] == ["policy_forbids", "policy_added"]
    assert "policy.toml forbids every call" in said[0]["problem"]


def test_models_behind_aliases_count_as_ways():
    settings = settings_with({"models": ["llama-*"]}, models={"own": "openai/llama-70b"})

    assert policy_warnings(settings, upstreams_of(settings)) == []
    settings = settings_with({"models": ["llama-*"]})
    assert "forbids every call" in policy_warnings(settings, upstreams_of(settings))[0]


def test_a_gateway_under_a_policy_that_forbids_everything_starts_says_so_and_refuses(tmp_path, capfd):
    with under_policy(tmp_path, {"providers": []}) as rig:
        assert rig.chat().status_code == 403

    assert rig.calls_at == []
    assert [line["problem"] for line in lines(capfd) if line["event"] == "policy_forbids"] != []
