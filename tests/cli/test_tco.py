import json

import pytest

from energy.command import run, run_json
from energy.law_points import dense
from energy.simulated_server import Truth, bursts, simulate
from energy.test_watch_log import written
from modicum.energy.bench import FORMAT, BenchResult, write_result

RENT = ["tco", "--rent", "2.69", "--tokens-per-second", "9806"]


def test_a_table_over_utilisations_and_the_break_even(capsys):
    code, out, _ = run(capsys, *RENT, "--prompt-per-output", 4, "--api-price", "0.05,0.08")

    assert code == 0
    assert "$0.076" in out
    assert "$1.52" in out
    assert "break-even at 27.2 % utilisation" in out
    assert "utilisation was not measured" in out


def test_speed_from_a_bench_and_utilisation_from_a_watch(tmp_path, capsys):
    write_result(tmp_path / "points.json", BenchResult(FORMAT, "m", (), tuple(dense())))
    log = written(tmp_path / "run.jsonl", simulate(Truth(), 120, 1, rate=bursts))

    code, found = run_json(
        capsys, "tco", "--rent", 2.69, "--bench", tmp_path / "points.json", "--within-ms", 12, "--watch", log,
        "--api-price", "0.05,0.08,0.01",
    )  # fmt: skip

    assert code == 0
    assert found["ownership"]["tokens_per_second"] == pytest.approx(32 / 0.0112)
    assert 0 < found["ownership"]["measured_utilisation"] < 1
    assert sum(row["measured"] for row in found["ownership"]["rows"]) == 1
    assert found["traffic"]["prompt_per_output"] > 1


def test_a_list_price_is_looked_up(capsys):
    code, found = run_json(capsys, *RENT, "--prompt-per-output", 3, "--api", "groq/llama-3.1-8b-instant")

    assert code == 0
    assert float(found["api"]["input_usd"]) > 0
    assert found["api"]["source"].startswith("genai-prices")


def test_a_machine_of_ones_own_says_what_electricity_is(capsys):
    code, out, _ = run(
        capsys,
        "tco",
        "--buy",
        280000,
        "--watts",
        8000,
        "--usd-per-kwh",
        "0.12",
        "--pue",
        1.3,
        "--tokens-per-second",
        40000,
    )

    assert code == 0
    assert "electricity is 13.5 % of the cost of an hour" in out


def test_a_slow_machine_never_pays(capsys):
    assert (
        "never cheaper"
        in run(capsys, *RENT[:3], "--tokens-per-second", 5, "--prompt-per-output", 1, "--api-price", "0.05,0.08")[1]
    )


def test_nothing_is_cheaper_than_an_api_that_costs_nothing(capsys):
    out = run(capsys, *RENT, "--prompt-per-output", 1, "--api-price", "0,0")[1]

    assert "never cheaper: the API costs nothing" in out
    assert "break-even" not in out


def test_a_server_that_generated_nothing_has_no_row_of_its_own_and_is_told(tmp_path, capsys):
    idle = written(tmp_path / "run.jsonl", simulate(Truth(), 30, 1, rate=lambda _: 0.0))

    code, out, _ = run(capsys, *RENT, "--watch", idle)

    assert code == 0
    assert "(measured)" not in out
    assert "no token was generated in the watched time" in out


def test_free_electricity_is_free(capsys):
    args = ["--buy", 35040, "--watts", 8000, "--usd-per-kwh", 0, "--tokens-per-second", 40000]
    out = run(capsys, "tco", *args)[1]

    assert "$1.00 an hour" in out
    assert "electricity is 0.0 % of the cost of an hour" in out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["tco", "--tokens-per-second", "10"], "say what the machine costs"),
        (["tco", "--rent", "1", "--buy", "2", "--tokens-per-second", "10"], "say what the machine costs"),
        (["tco", "--buy", "2", "--tokens-per-second", "10"], "--watts and --usd-per-kwh"),
        (
            ["tco", "--buy", "2", "--watts", "1", "--usd-per-kwh", "1", "--years", "0", "--tokens-per-second", "1"],
            "--years",
        ),
        (["tco", "--rent", "1"], "the speed at full load is missing"),
        (["tco", "--rent", "-1"], "is less than 0 or not finite"),
        (["tco", "--rent", "lots"], "is not an amount"),
        ([*RENT, "--api-price", "0.05,0.08"], "--prompt-per-output"),
        ([*RENT, "--prompt-per-output", "4", "--api-price", "cheap"], "IN,OUT"),
        ([*RENT, "--prompt-per-output", "4", "--api", "nobody/nothing"], "no list price is known"),
        ([*RENT, "--prompt-per-output", "-4"], "x>=0"),
        ([*RENT, "--prompt-per-output", "nan"], "is not a finite number"),
        (["tco", "--rent", "1", "--tokens-per-second", "inf"], "is not a finite number"),
        (["tco", "--rent", "1", "--tokens-per-second", "0"], "more than 0"),
        ([*RENT, "--cached-share", "3"], "0<=x<=1"),
        (["tco", "--buy", "2", "--watts", "-5", "--usd-per-kwh", "1", "--tokens-per-second", "1"], "x>=0"),
        (["tco", "--buy", "2", "--watts", "5", "--usd-per-kwh", "1", "--pue", "0.5"], "x>=1"),
    ],
)
def test_what_is_missing_is_asked_for(args, says, capsys):
    code, _, err = run(capsys, *args)

    assert code == 2
    assert says in err


def test_every_assumption_is_a_line_that_says_how_to_change_it(capsys):
    _, out, _ = run(capsys, *RENT, "--staff-hours", 20, "--staff-usd", 90, "--spare-share", 1)

    assert "100 % more capacity" in out
    assert "20 hours a month at $90" in out
    assert "--review-share" in out
    assert "$7.85 an hour" in out


def test_quality_lost_comes_from_outcomes_of_a_comparison(capsys, tmp_path):
    path = tmp_path / "compared.json"
    success = {"value": -0.03, "low": -0.07, "high": 0.01}
    path.write_text(json.dumps({"pairs": [{"arm": "own", "baseline": "api", "success": success}]}))

    _, found = run_json(capsys, *RENT, "--compared", path, "--worth", 0.5, "--tokens-per-task", 500)

    [line] = [one for one in found["ownership"]["assumptions"] if one["name"] == "quality lost"]
    assert line["assumed"].startswith("+3.0 points [-1.0, +7.0] (own in compared.json), $0.5 an outcome, 500 tokens")
    assert float(line["usd_per_million_output"]) == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--quality-loss", "0.1", "--tokens-per-task", "9"), "say with --worth"),
        (("--quality-loss", "0.1", "--worth", "1"), "give --tokens-per-task"),
        (("--quality-loss", "0.1", "--compared", __file__), "give one of them"),
        (("--staff-hours", "3"), "give both --staff-hours and --staff-usd"),
        (("--review-share", "0.3"), "give both --review-share and --review-usd"),
    ],
)
def test_half_an_assumption_is_refused(capsys, more, says):
    code, _, err = run(capsys, *RENT, *more)

    assert code != 0
    assert says in err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no json", "no output of 'modicum compare --json'"),
        ("{}", "no output of 'modicum compare --json'"),
        ('{"pairs": [{"arm": "a"}]}', "no output of 'modicum compare --json'"),
        ('{"pairs": [{"arm": "a", "success": {"value": "x"}}]}', "no output of 'modicum compare --json'"),
        ('{"pairs": [{"arm": "a", "success": null}]}', "no task has an outcome"),
        ('{"pairs": [{"arm": "a", "success": null}, {"arm": "b", "success": null}]}', "--own-arm; it has a, b"),
    ],
)
def test_a_file_that_says_nothing_of_quality_is_refused(capsys, tmp_path, text, says):
    path = tmp_path / "compared.json"
    path.write_text(text)

    code, _, err = run(capsys, *RENT, "--compared", path)

    assert code != 0
    assert says in err
