"""`modicum policy`: shown, tried on the past, logged."""

from datetime import UTC, datetime

import pytest

from ledger.samples import entry
from modicum.governance.policy_log import PolicyEvent
from modicum.ledger.events import EventFile
from modicum.ledger.opening import open_store
from modicum.settings import data_folder, state_folder

POLICY = """data_classes = ["public", "personal"]
unnamed_class = "public"

[[clause]]
name = "no gpt"
not_models = ["gpt-*"]

[[clause]]
name = "personal data"
data_class = "personal"
regions = ["eu"]
"""


@pytest.fixture
def site(folder):
    (folder / "policy.toml").write_text(POLICY)
    return folder


@pytest.fixture
def ledger(site):
    data_folder().mkdir(parents=True, exist_ok=True)
    store = open_store(str(data_folder() / "ledger.duckdb"))
    store.append([entry("a", "1.50", model="gpt-4o"), entry("b", "2"), entry("c", None, model="gpt-4o-mini")])
    store.close()
    return site


def test_show_names_each_clause_with_its_line_and_where_calls_can_go(modicum, site):
    ran = modicum("policy", "show")

    assert ran.status == 0
    lines = ran.out.splitlines()
    assert lines[1].split() == ["policy.toml:5", "no", "gpt", "all", "calls", "not", "models:", "gpt-*"]
    assert lines[2].startswith("policy.toml:9")
    assert lines[3] == "calls of the data class 'public' can go to: openai, anthropic, gemini"
    assert lines[4] == "calls of the data class 'personal' can go to: nowhere"
    assert "policy.toml lets calls of the data class 'personal' go nowhere: the clause 'personal data'" in ran.err
    assert max(map(len, lines)) <= 80


def test_show_is_a_document_too_and_takes_a_draft(modicum, site):
    (site / "draft.toml").write_text('[[clause]]\nname = "none"\nmodels = []\n')

    found = modicum("policy", "show", "draft.toml", "--json").json

    assert (found["file"], found["clauses"][0]["models"]) == ("draft.toml", [])
    assert found["ways"] == [{"data_class": "", "upstreams": []}]
    assert "draft.toml forbids every call" in found["warnings"][0]


def test_a_policy_on_the_past_says_what_it_would_have_refused(modicum, ledger):
    ran = modicum("policy", "test")

    lines = ran.out.splitlines()
    assert lines[0] == (
        "policy.toml would have refused 2 calls, $1.50 and 1 of unknown cost, of 3 calls, $3.50 and 1 of unknown cost"
    )
    assert lines[2].split()[:6] == ["clause", "no", "gpt", "not_models", "2", "$1.50"]
    found = modicum("policy", "test", "--json").json["replay"]
    assert found["refused"] == {"calls": 2, "usd": 1.5, "calls_unpriced": 1, "basis": "exact"}


def test_a_draft_and_a_time_can_be_named(modicum, ledger):
    (ledger / "draft.toml").write_text('[[budget]]\nname = "day"\nper = "day"\nlimit_usd = 1.75\n')

    found = modicum("policy", "test", "draft.toml", "--since", "2026-01-01", "--json").json["replay"]
    assert [(line["kind"], line["name"], line["sum"]["calls"]) for line in found["lines"]] == [("budget", "day", 1)]
    assert modicum("policy", "test", "--since", "2026-03-01").out.startswith("no calls in that time; 'modicum import'")


def test_the_log_shows_who_changed_what(modicum, site):
    assert modicum("policy", "log").out.startswith("no policy was ever in force")
    events = EventFile(state_folder() / "events.sqlite")
    at = datetime(2026, 11, 30, tzinfo=UTC)
    for what, now in (("added", '{"models":["a"]}'), ("changed", '{"models":["' + "b" * 90 + '"]}')):
        events.append("policy", PolicyEvent(what=what, part="clause x", at=at, by="ann", definition=now, former="{}"))
    events.close()

    lines = modicum("policy", "log").out.splitlines()
    assert lines[1].split() == ["2026-11-30", "00:00:00", "ann", "added", "clause", "x", '{"models":["a"]}']
    assert lines[2].endswith("...")
    assert [event["what"] for event in modicum("policy", "log", "--json").json["events"]] == ["added", "changed"]


def test_without_a_policy_each_verb_says_what_to_write(modicum, folder):
    for verb in ("show", "test"):
        ran = modicum("policy", verb)
        assert (ran.status, "there is no policy: write policy.toml (docs/policy.md" in ran.err) == (2, True)


def test_a_wrong_policy_stops_every_verb_that_reads_settings(modicum, site):
    (site / "policy.toml").write_text('[[clause]]\nname = "a"\nmodell = 1\n')

    ran = modicum("policy", "show")
    assert (ran.status, ran.err.startswith("modicum: policy.toml:3: ")) == (2, True)
    assert modicum("budget", "show").err == ran.err
