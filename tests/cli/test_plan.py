import json

import pytest

from energy.command import run, run_json


def test_a_plan_shows_parts_totals_and_limits(capsys):
    code, out, _ = run(
        capsys, "plan", "memory", "granite-4.0-h-small", "--context", "128k", "--batch", 8, "--gpu", "h200"
    )

    assert code == 0
    assert "59.99" in out
    assert "17.14" in out
    assert "fits: 126.4 of 140.4 GiB" in out
    assert "largest batch at 128k: 30" in out


def test_a_model_that_does_not_fit_ends_with_status_1(capsys):
    code, out, _ = run(capsys, "plan", "memory", "llama-3.1-70b", "--gpu", "h100")

    assert code == 1
    assert "does not fit" in out


def test_json_has_every_part_in_bytes(capsys):
    code, found = run_json(capsys, "plan", "memory", "granite-4.0-h-tiny", "--context", "8k", "--engine", "vllm")

    assert code == 0
    assert found["exact_bytes"] == found["weights_bytes"] + found["cache_bytes"]
    assert found["total_bytes"] > found["exact_bytes"]
    assert found["fits"] is None


def test_reserved_cache_is_said_where_an_engine_sets_more_aside(capsys):
    _, out, _ = run(capsys, "plan", "memory", "gpt-oss-20b", "--context", "32k", "--engine", "vllm")

    assert "may reserve" in out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["plan", "memory", "no-such-model"], "'modicum plan models' lists them"),
        (["plan", "memory", "qwen3-8b", "--context", "many"], "write 8192, 8k or 128k"),
        (["plan", "memory", "qwen3-8b", "--memory-share", "2"], "(--memory-share) is 2"),
        (["plan", "memory", "qwen3-8b", "--engine", "sglang"], "no engine 'sglang'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(args, says, capsys):
    code, _, err = run(capsys, *args)

    assert code == 2
    assert says in err


def test_an_unknown_architecture_is_refused_by_name(tmp_path, capsys):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "kimi_linear"}))

    code, _, err = run(capsys, "plan", "memory", tmp_path)

    assert code == 2
    assert "does not know the architecture 'kimi_linear'" in err


def test_the_claim_is_shown_where_it_holds_and_where_not(capsys):
    code, out, _ = run(capsys, "plan", "compare", "granite-4.0-h-small", "qwen3-32b", "--context", "128k", "--batch", 8)

    assert code == 0
    lines = [line for line in out.splitlines() if line.endswith(("yes", " no"))]
    assert lines[0].split()[-3:] == ["-76", "%", "yes"]
    assert any(line.split()[-3:] == ["-4", "%", "no"] for line in lines)
    assert "from 622 tokens on" in out


@pytest.mark.parametrize(
    ("first", "second", "says"), [("qwen3-8b", "qwen3-32b", "at every context"), ("qwen3-32b", "qwen3-8b", "never")]
)
def test_the_cache_that_always_wins_is_said(first, second, says, capsys):
    assert says in run(capsys, "plan", "compare", first, second)[1]


def test_a_comparison_as_json_has_its_savings(capsys):
    _, found = run_json(
        capsys, "plan", "compare", "granite-4.0-h-small", "qwen3-32b", "--context", "128k", "--batch", 8
    )

    assert round(found["savings"][0], 2) == 0.76


def test_shipped_models_are_listed_with_their_sources(capsys):
    code, out, _ = run(capsys, "plan", "models")
    _, found = run_json(capsys, "plan", "models")

    assert code == 0
    assert "by-hand: fields written down" in out
    assert len(found) == 51  # 50 models and the sources


def test_the_cheapest_card_is_named_for_each_model_and_context(capsys):
    words = (
        "plan",
        "cards",
        "granite-4.0-h-small",
        "qwen3-32b",
        "--batch",
        4,
        "--card",
        "h100=2.5",
        "--card",
        "h200=4",
    )
    code, out, _ = run(capsys, *words)

    assert code == 0
    assert "cheapest card" in out
    assert "$4.00" in out
    assert "qwen3-32b at 128k: " in out
    choices = json.loads(run(capsys, *words, "--json")[1])["choices"]
    assert {one["card"] for one in choices if one["context"] == 32_768} == {"h100", "h200"}
    assert "--gpu goes with" in run(capsys, "plan", "cards", "qwen3-32b", "--gpu", "h100")[2]
