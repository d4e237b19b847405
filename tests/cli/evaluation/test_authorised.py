"""The policy holds for models under test and for judges."""

import json

import pytest

from cli.evaluation.mock_server import mock_server
from modicum.calls import UserError
from modicum.cli.evaluation.authorised import EvaluationPolicy
from modicum.settings import read_settings

POLICY = 'data_classes = ["public", "personal"]\nunnamed_class = "public"\n'


@pytest.fixture
def run(folder, modicum):
    """Runs a task with a judge under a policy; gives the answer and the models that were asked."""

    def run(policy, *words, models="gpt-4o-mini", prompt="2 + 2?"):
        (folder / "policy.toml").write_text(policy)
        (folder / "tasks.jsonl").write_text(json.dumps({"task": "a", "prompt": prompt, "expected": "4"}))
        with mock_server(lambda *_: "PASS") as (url, asked):
            grader = ("--grader", "judge:gpt-4o", "--provider", "openai", "--url", url)
            ran = modicum("compare", "run", "tasks.jsonl", "--models", models, *grader, *words, "--json")
        return ran, [model for model, _ in asked]

    return run


@pytest.mark.parametrize(
    ("clause", "model"),
    [
        ('not_models = ["gpt-4o"]', "gpt-4o"),  # the judge
        ('models = ["gpt-4o"]', "gpt-4o-mini"),
        ('providers = ["azure"]', "gpt-4o-mini"),
        ('regions = ["eu"]', "gpt-4o-mini"),
        ("most_output_tokens = 10", "gpt-4o-mini"),
    ],
)
def test_a_model_or_judge_that_the_policy_forbids_is_named_before_the_first_call(run, clause, model):
    ran, asked = run(f'\n[[clause]]\nname = "only"\n{clause}\n')

    assert asked == []
    assert ran.status == 2
    assert f"'{model}' may not be asked: policy.toml:3: the clause 'only' of the policy" in ran.err


def test_what_the_policy_allows_is_run(run):
    ran, asked = run('[[clause]]\nname = "only"\nproviders = ["openai"]\nmodels = ["gpt-4o*"]\n')

    assert (ran.status, sorted(asked)) == (0, ["gpt-4o", "gpt-4o-mini"])


def test_a_prompt_that_is_too_long_is_not_sent_and_the_run_says_why(run):
    policy = '[[clause]]\nname = "short"\nmost_prompt_tokens = 50\n'
    ran, asked = run(policy, prompt="many words " * 100)

    assert asked == []
    assert "may not be asked: policy.toml:2: the clause 'short' of the policy allows 50 prompt tokens" in ran.err


def test_the_class_of_the_tasks_chooses_the_clauses(run):
    policy = f'{POLICY}[[clause]]\nname = "own"\ndata_class = "personal"\nproviders = ["own"]\n'
    assert run(policy)[1] != []

    ran, asked = run(policy, "--data-class", "personal", models="gpt-4.1")
    assert (ran.status, asked) == (2, [])
    ran, _ = run(policy, "--data-class", "persnal", models="gpt-4.1")
    assert "--data-class 'persnal' is no class of the policy; it has: public, personal" in ran.err


def test_the_region_of_an_upstream_of_the_settings_counts_and_the_gateway_decides_itself(folder):
    (folder / "modicum.toml").write_text(
        '[upstreams.a]\nurl = "http://llm.local/v1"\nspeaks = "openai"\nregion = "eu"\n'
    )
    (folder / "policy.toml").write_text('[[clause]]\nname = "eu"\nregions = ["eu"]\n')
    settings = read_settings()

    assert EvaluationPolicy(settings, "http://llm.local/v1").refusal("m", "own", 5, 5) == ""
    assert "does not allow this model's region" in EvaluationPolicy(settings, "http://other.local/v1").refusal(
        "m", "own", 5, 5
    )
    assert EvaluationPolicy(settings, f"http://{settings.gateway.listen}/v1").refusal("m", "own", 5, 5) == ""
    assert EvaluationPolicy(settings, "http://localhost:4000/v1").refusal("m", "own", 5, 5) == ""
    with pytest.raises(UserError, match="has no data_classes"):
        EvaluationPolicy(settings, "http://llm.local/v1", "personal")
