"""`modicum optimize report`, as a person types it."""

from contextlib import closing

import pytest

from experiments.test_rule_arms import two_arms
from modicum.cli.optimizing.report import hold_outs_of
from modicum.ledger.opening import open_store
from modicum.settings import OptimizeSettings, Settings
from modicum.settings.governance.agent_guard import AgentGuardSettings


@pytest.fixture
def ledger(tmp_path, folder):
    (folder / "modicum.toml").write_text("[optimize]\nkeep_warm = true\nhold_out = 0.5\n")
    path = str(tmp_path / "ledger.duckdb")
    with closing(open_store(path)) as store:
        store.append(two_arms())
    return path


def test_arms_stand_side_by_side(modicum, ledger):
    shown = modicum("optimize", "report", "--ledger", ledger).out
    (row,) = modicum("optimize", "report", "--ledger", ledger, "--json").json["rules"]

    assert "keep_warm          40        40" in shown
    assert "62 % [" in shown
    assert (row["rule"], row["hold_out"], row["tasks"]) == ("keep_warm", 0.5, {"changed": 40, "hold_out": 40})
    assert row["cost_usd"]["ratio"] == pytest.approx(0.625)
    assert "no outcome" in row["verdict_why"]


def test_without_arms_it_says_how_to_get_some(modicum, folder):
    assert "hold_out above 0" in " ".join(modicum("optimize", "report").out.split())
    assert modicum("optimize", "report", "--outcome", "ok").status == 2


def test_each_table_has_its_own_share():
    rows = (AgentGuardSettings(most_depth=1), AgentGuardSettings(most_depth=2, hold_out=0.2))
    found = hold_outs_of(Settings(optimize=OptimizeSettings(hold_out=0.3), agent_guard=rows))

    assert (found["keep_warm"], found["content.cut"], found["guard.agents"]) == (0.3, 0.3, 0.2)
    assert found["reply_cache"] == 0.0
