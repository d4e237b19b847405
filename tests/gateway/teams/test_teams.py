"""A plan's life in a running gateway: read anew, tried against its canaries, given up."""

import json
import time

import httpx2 as httpx
import openai
import pytest

from gateway.rig import usual
from gateway.team_rig import plan, planned, turn
from modicum.agents.plan_rules import digest_text, share_of_run
from modicum.agents.team_plan import encode_plan
from modicum.experiments.team_runs import CANARY, PLAN, Grading, TeamOutcomes

TASK = {"role": "user", "content": "the task"}


def until(what, seconds=10.0):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def ask():
    """Whether the critic's call of a run reached the provider."""

    def asked(rig, run, agent="critic", **more):
        with openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client:
            before = len(rig.mock.asked)
            client.chat.completions.create(model="gpt-4o-mini", messages=[TASK], extra_headers=turn(agent, run, **more))
            return len(rig.mock.asked) > before

    return asked


def outcome(rig, task, value, name="solved"):
    told = httpx.post(f"{rig.url}/outcomes", json={"task": task, "name": name, "value": value}, headers=rig.headers())
    assert told.status_code == 200


def arms(rig, a_plan):
    opened = TeamOutcomes(rig.folder / "teams.sqlite")
    watch = opened.watch("support", digest_text(encode_plan(a_plan)))
    opened.close()
    return watch


def test_a_gateway_without_teams_asks_no_rule_and_keeps_no_file(fresh_rig):
    assert not fresh_rig.gateway.pipeline.in_force.may_divert
    assert not (fresh_rig.folder / "teams.sqlite").exists()
    assert usual()(1).teams == {}


def test_a_changed_plan_takes_effect_while_it_runs(tmp_path, ask, capfd):
    with planned(tmp_path, plan(drop=["critic"])) as rig:
        assert not ask(rig, "r0")
        rig.plan_file.write_text(encode_plan(plan(drop=["planner"])))
        until(lambda: rig.gateway.pipeline.in_force.sources and not ask(rig, f"r{time.monotonic()}", "planner"))
        assert ask(rig, "r1")
        rig.plan_file.write_text('{"schema": "team-plan/1", "drops": []}')
        until(lambda: ask(rig, f"r{time.monotonic()}", "planner"))

    told = [json.loads(line) for line in capfd.readouterr().err.splitlines() if "team_plan_not_applied" in line]
    assert any("plan.json:1 is no team plan" in line["problem"] and "`drops`" in line["problem"] for line in told)


def test_a_plan_that_is_taken_away_leaves_no_reply_of_ours_in_the_prompts_of_a_run_under_way(tmp_path, ask):
    empty = {"role": "assistant", "name": "critic", "content": ""}
    with (
        planned(tmp_path, plan(drop=["critic"])) as rig,
        openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client,
    ):

        def shown(run):
            client.chat.completions.create(
                model="gpt-4o-mini", messages=[TASK, empty], extra_headers=turn("judge", run)
            )
            return [message["content"] for message in rig.mock.asked[-1]["messages"]]

        assert not ask(rig, "under way")
        rig.plan_file.unlink()
        until(lambda: ask(rig, f"new {time.monotonic()}"))

        assert shown("under way") == ["the task"]
        assert ask(rig, "under way")
        assert shown("another") == ["the task", ""]
        assert rig.records()[-3].tags["plan_arm"] == "full"
        assert "plan_arm" not in rig.records()[-1].tags


def test_canaries_keep_the_full_team_and_outcomes_find_their_runs(tmp_path, ask):
    share = 0.5
    made = plan(drop=["critic"], canary_share=share)
    runs = [f"run-{number}" for number in range(12)]
    canaries = [run for run in runs if share_of_run("support", run) < share]
    assert 0 < len(canaries) < len(runs)
    with planned(tmp_path, made, outcome="solved") as rig:
        assert [run for run in runs if ask(rig, run, task=f"PR-{run}")] == canaries
        for run in runs:
            outcome(rig, f"PR-{run}", 1 if run in canaries else 0.25)
            outcome(rig, run, 0, name="lines")
        watch = arms(rig, made)
        kinds = {call.tags["run"]: call.tags["plan_arm"] for call in rig.records()}

    assert (watch.full.runs_count, watch.full.mean) == (len(canaries), 1.0)
    assert (watch.plan.runs_count, watch.plan.mean) == (len(runs) - len(canaries), 0.25)
    assert kinds == {run: "canary" if run in canaries else "plan" for run in runs}


def test_a_plan_that_proves_worse_is_given_up_also_by_runs_under_way(tmp_path, ask, capfd):
    made = plan(drop=["critic"], canary_share=0.01)
    with planned(tmp_path, made) as rig:
        assert not ask(rig, "going on")
        other_worker = TeamOutcomes(tmp_path / "teams.sqlite")
        grading, digest = {"support": Grading("", 0.02)}, digest_text(encode_plan(made))
        number, given_up = 0, []
        while not given_up:
            number += 1
            assert number < 500
            other_worker.record_run("support", f"r{number}", "", digest, CANARY if number % 2 else PLAN, 0.5)
            given_up = other_worker.apply_outcome(f"r{number}", "solved", float(number % 2), grading)
        other_worker.close()
        until(lambda: ask(rig, "going on", round=1))
        assert ask(rig, "a new one")
        outcome(rig, "going on", 0)
        calls = rig.records()

    assert calls[-1].tags["plan_arm"] == "full"
    assert "reverted after" in capfd.readouterr().err


def test_outcomes_are_taken_though_the_file_of_teams_is_broken(tmp_path, ask):
    with planned(tmp_path, plan(drop=["critic"])) as rig:
        ask(rig, "r")
        rig.gateway._teams._outcomes._base.execute("DROP TABLE runs")
        outcome(rig, "r", 1)
        assert ask(rig, "r2", "judge")
        until(lambda: 'stage="team_outcomes"} 2.0' in rig.gateway.parts.metrics.text().decode())


def test_a_file_of_outcomes_that_is_none_costs_the_plan_and_no_call(tmp_path, ask, capfd):
    (tmp_path / "teams.sqlite").write_text("no database, but longer than the header of one would be" * 20)
    with planned(tmp_path, plan(drop=["critic"])) as rig:
        assert ask(rig, "r")
        outcome(rig, "r", 1)

    assert "teams.sqlite cannot be used" in capfd.readouterr().err
