"""`modicum route`, from a table to weights and a decision."""

import pytest

from modicum.routing.weights import decode_router
from routing_tables import known_table, write_long


@pytest.fixture
def table(tmp_path):
    return write_long(known_table(), tmp_path / "outcomes.csv")


def test_a_table_is_learned_from_and_decides(table, tmp_path, modicum):
    out = tmp_path / "router.npz"
    ran = modicum("route", "train", table, "--loss", "2", "--out", out)

    assert ran.status == 0
    assert "best single dear" in ran.out
    assert out.stat().st_size < 5_000_000
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("prove a lemma about rivers and lamps")
    assert modicum("route", "decide", out, "--prompt", prompt, "--json").json["model"] == "dear"
    prompt.write_text("name the capital of france and apples")
    decided = modicum("route", "decide", out, "--prompt", prompt)
    assert decided.out.startswith("cheap: ")
    assert modicum("route", "decide", out, "--prompt", prompt, "--allowed", "gone").out.startswith(
        "as it came: no model"
    )


def test_an_evaluation_stands_beside_random_length_best_single_and_oracle(table, modicum):
    document = modicum("route", "eval", table, "--learner", "linear", "--json").json

    assert [each["name"] for each in document["routers"]] == ["random", "length", "linear on words", "oracle"]
    assert (document["weak"], document["strong"], document["unit"]) == ("cheap", "dear", "usd")
    assert set(document["singles"]) == {"cheap", "dear"}
    assert {each["loss"] for each in document["floors"]} == {0.0, 0.005, 0.01, 0.02}
    shown = modicum("route", "eval", table, "--learner", "linear", "--by-family").out
    assert "whole families left out" in shown
    assert "CPT(80 %)" in shown


def test_budgets_are_held_or_refused(table, tmp_path, modicum):
    out = tmp_path / "r.npz"
    held = modicum("route", "train", table, "--budget", "0.004", "--out", out, "--json").json

    assert held["calibration"]["cost"] <= 0.004
    refused = modicum("route", "train", table, "--budget", "0.0001", "--out", out)
    assert (refused.status, "no choice stays within 0.0001 usd" in refused.err) == (2, True)
    both = modicum("route", "train", table, "--budget", "1", "--loss", "1", "--out", out)
    assert (both.status, "--loss and --budget exclude each other" in both.err) == (2, True)


def test_a_table_of_ten_rows_and_a_file_that_is_not_there_are_one_line_each(tmp_path, modicum):
    few = modicum("route", "train", write_long(known_table(10), tmp_path / "few.csv"), "--out", tmp_path / "r")

    assert (few.status, few.err.count("\n")) == (2, 1)
    assert "10 tasks" in few.err
    assert modicum("route", "eval", tmp_path / "gone.csv").err == f"modicum: there is no file {tmp_path / 'gone.csv'}\n"


def test_what_is_no_router_is_said(tmp_path, modicum):
    path = tmp_path / "prompt.txt"
    path.write_text("x")

    ran = modicum("route", "decide", path, "--prompt", path)
    assert (ran.status, "is no router" in ran.err) == (2, True)


def test_vectors_of_another_table_are_refused(table, tmp_path, modicum):
    path = tmp_path / "v.npy"
    path.write_bytes(b"no vectors")

    ran = modicum("route", "eval", table, "--embeddings", path, "--learner", "embedding")
    assert (ran.status, "holds no vectors" in ran.err) == (2, True)


def test_help_names_the_units_and_no_empty_one(modicum):
    assert "[usd|seconds|joules|calls]" in modicum("route", "train", "--help").out


def test_weights_hold_the_prices_of_their_day_where_they_are_known(tmp_path, modicum):
    table = known_table(200)
    known = type(table)(("gpt-4o-mini", "my-own"), table.prompts, table.outcomes, table.families, table.costs)
    out = tmp_path / "router.npz"

    modicum("route", "train", write_long(known, tmp_path / "t.csv"), "--learner", "length", "--out", out)
    terms = decode_router(out.read_bytes(), "").terms

    assert terms.unit == "usd"
    mini, own = (terms.prices[terms.models.index(model)] for model in ("gpt-4o-mini", "my-own"))
    assert (mini, own) == (pytest.approx((3 * 0.15e-6 + 0.6e-6) / 4), 0)


def test_models_that_it_was_not_trained_on_stand_beside_and_need_no_costs(tmp_path, modicum):
    path, table = tmp_path / "families.csv", known_table(100)
    rows = [
        f"{prompt},{cheap:g},{dear:g},{cheap:g},1"
        for prompt, (cheap, dear) in zip(table.prompts, table.outcomes, strict=True)
    ]
    path.write_text("\n".join(["prompt,gpt-mini,gpt-large,claude-mini,claude-large", *rows]) + "\n")
    evaluate = "route", "eval", path, "--learner", "linear", "--by-model-family"

    shown = modicum(*evaluate)
    assert (shown.status, "claude: claude-mini or claude-large" in shown.out) == (0, True)
    document = modicum(*evaluate, "--json").json
    assert [one["family"] for one in document["model_families"]] == ["gpt", "claude"]
    assert document["strong"] == "claude-large"
    refused = modicum(*evaluate, "--model", "gpt-mini", "--model", "gpt-large")
    assert (refused.status, "the table has 1" in refused.err) == (2, True)


def test_tasks_that_no_two_models_did_can_be_learned_from_and_not_evaluated(tmp_path, modicum):
    path = tmp_path / "sparse.csv"
    rows = [f"say {number},{'ab'[number % 2]},{number // 2 % 2},{1 + number % 2}" for number in range(120)]
    path.write_text("\n".join(["prompt,model,success,cost_usd", *rows]) + "\n")

    assert "no task has an outcome of every model" in modicum("route", "eval", path).err
    trained = modicum("route", "train", path, "--learner", "linear", "--out", tmp_path / "r.npz")
    assert (trained.status, "No task was done by all models" in trained.out) == (0, True)
