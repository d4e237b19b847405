"""A changed system prompt in a running gateway, in the changed arm of an experiment alone."""

import json
from datetime import UTC, datetime

import openai

from gateway.rig import DIGEST_KEY, running
from gateway.team_rig import mock_provider
from gateway.test_routes import decide
from modicum.experiments.experiment import Arm, ChangeKind, Experiment
from modicum.gateway.prompts import load_prompts
from modicum.settings import GatewaySettings, PromptSettings, Settings, UpstreamSettings


def test_a_prompt_changes_calls_of_an_experiments_changed_arm_alone(tmp_path):
    (tmp_path / "terse.txt").write_text("Be short.")
    with mock_provider() as mock:

        def settings(port):
            return Settings(
                gateway=GatewaySettings(listen="127.0.0.1:0"),
                upstreams={"openai": UpstreamSettings(url=f"{mock.url}/v1", speaks="openai", models=("gpt-*",))},
                prompts={"terse": PromptSettings(models="gpt-*", append=str(tmp_path / "terse.txt"))},
            )

        with (
            running(tmp_path / "gateway", settings) as rig,
            openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client,
        ):

            def ask(task):
                client.chat.completions.create(
                    model="gpt-4o",
                    messages=[{"role": "system", "content": "Help."}, {"role": "user", "content": "hi"}],
                    extra_headers={"x-modicum-task": task},
                )
                return mock.asked[-1]["messages"][0]["content"]

            one = Experiment(
                name="short",
                kind=ChangeKind.RULE,
                subject="prompt.terse",
                outcome="ok",
                margin=0.05,
                started_at=datetime.now(UTC),
            )
            assert ask("before") == "Help."
            decide(rig, "started", one, definition=one)
            tasks = [f"t{number}" for number in range(30)]
            arms = {arm: next(task for task in tasks if one.arm_of(task, DIGEST_KEY) is arm) for arm in Arm}
            assert ask(arms[Arm.CHANGED]) == "Help.\n\nBe short."
            assert ask(arms[Arm.HOLD_OUT]) == "Help."
            calls = rig.wait_for_records(3)

    assert [[edit.rule for edit in call.edits] for call in calls] == [[], ["prompt.terse"], []]
    assert b"Be short" not in json.dumps([str(call) for call in calls]).encode()


def test_a_file_that_cannot_be_read_leaves_calls_as_they_came(tmp_path, capfd):
    (tmp_path / "old.txt").write_text("a")
    (tmp_path / "new.txt").write_bytes(b"\xff\xfe\xff")
    settings = Settings(
        prompts={
            "gone": PromptSettings(models="*", append="gone.txt"),
            "binary": PromptSettings(models="*", old="old.txt", new="new.txt"),
            "fine": PromptSettings(models="*", old="old.txt", new="old.txt"),
        },
        file=str(tmp_path / "modicum.toml"),
    )

    assert [rule.name for rule in load_prompts(settings)] == ["prompt.fine"]
