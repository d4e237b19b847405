import pytest


@pytest.fixture
def sample(modicum):
    def run(*words):
        return modicum("audit", "--found", *words)

    return run


def test_the_sample_shows_every_section(sample):
    told = sample("--what-if", "cache_ttl=1h", "--what-if", "model:claude-opus-4-5=claude-haiku-4-5")

    assert told.status == 0
    assert "this is the sample" in told.err
    for section in (
        "where the money went",
        "replay without changes: total",
        "finding",
        "all that is exact or replayed, together",
        "to do first:",
        "what if",
        "tool results cut at",
        "not computed:",
        "cold caches are paid for",
    ):
        assert section in told.out


def test_json_is_one_object_whose_savings_are_never_above_spend(sample):
    found = sample("--json", "--what-if", "cap_tool_results=2000").json

    assert {"fidelity", "findings", "joint_saving_share", "what_if", "cap_curve", "rent", "problems"} <= set(found)
    assert {"total_error", "median_task_error", "unexplained_share"} <= set(found["fidelity"])
    assert 0 <= found["joint_saving_usd"] <= found["cost_usd"]
    assert found["cost_usd"] == pytest.approx(found["rent"]["cost_usd"])
    assert [one["name"] for one in found["what_if"]] == ["cap_tool_results=2000"]
    assert all(row["examples"] for row in found["findings"] if row["saving_usd"])


def test_one_finding_can_be_asked_for(sample):
    assert [row["name"] for row in sample("--only", "loops", "--json").json["findings"]] == ["loops"]


def test_the_ledger_gives_the_same_audit_as_the_logs(modicum, transcripts):
    modicum("import", transcripts)

    kept, read = modicum("audit", "--json").json, modicum("audit", transcripts, "--json").json

    assert kept["findings"] == read["findings"]
    assert kept["fidelity"] == read["fidelity"]


def test_logs_without_content_say_what_cannot_be_computed(modicum, transcripts):
    modicum("import", transcripts, "--no-anatomy")

    told = modicum("audit")

    assert "have no anatomy (usage only)" in told.out


def test_mistakes_are_one_line(modicum, transcripts):
    assert "there is no finding 'wate'" in modicum("audit", transcripts, "--only", "wate").err
    wrong = modicum("audit", transcripts, "--what-if", "cache=1h")
    assert (wrong.status, wrong.out) == (2, "")
    assert "accepted are cache_ttl=5m|1h|30m|12h|24h|off" in wrong.err


def test_outcomes_beside_logs_tell_what_failure_cost(modicum, transcripts, tmp_path):
    told = tmp_path / "outcomes.csv"
    told.write_text("task,name,value,time\ns-1,resolved,0,2026-03-02T12:00:00Z\nx,resolved,oops,2026-03-02\n")

    found = modicum("audit", transcripts, "--outcomes", told, "--only", "cost_of_failure", "--json").json

    assert found["findings"][0]["details"]["tasks_failed"] == 1
    assert [problem["line"] for problem in found["problems"]] == [3]
    assert "outcome import" in modicum("audit", "--outcomes", told).err
    assert "there is no file" in modicum("audit", transcripts, "--outcomes", tmp_path / "none.csv").err


def test_an_agent_that_left_an_empty_folder_has_no_logs(modicum, home):
    (home / ".claude" / "projects").mkdir(parents=True)

    assert "this is the sample" in modicum("audit", "--found").err


def test_the_user_of_an_agent_is_shown_what_they_can_set(modicum, transcripts):
    found = modicum("audit", transcripts, "--json").json
    rows = {row["name"]: row for row in found["findings"]}

    assert rows["ttl_expiry"]["advice"]["place"] == "~/.claude/settings.json"
    assert rows["prefix_break"]["advice"]["who"] == "vendor"
    assert "prefix_break" not in found["first_steps"]
    assert rows["failed_calls"]["advice"] is None


@pytest.mark.parametrize("change", ["rules=bogus", "rules=", "tier=cheap", "cache=1h", "model:x=", "cap_output=-1"])
def test_a_mistyped_change_is_refused_before_any_log_is_read(modicum, monkeypatch, transcripts, change):
    def read_nothing(*_):
        raise AssertionError("the logs were read")

    monkeypatch.setattr("modicum.cli.inputs.audit_answers.open_ledger_or_logs", read_nothing)
    wrong = modicum("audit", transcripts, "--what-if", change)

    assert wrong.status == 2
    assert "; accepted are " in wrong.err


def test_findings_are_rows_of_csv(modicum, transcripts):
    lines = modicum("audit", transcripts, "--csv", "--only", "B3").out.splitlines()

    assert lines[0].startswith("id,name,title,finding_class,calls,tokens,gross_usd,saving_usd")
    assert lines[1].startswith("B3,ttl_expiry,")
