"""`modicum estimate`."""

import pytest

from cli.builds.test_check import write_trace

NUMBERS = ("--model", "gpt-4o-mini", "--calls", "10", "--first", "6000", "--growth", "1000", "--output", "200")


def test_a_design_is_priced_with_its_parts_and_says_how_far_off_it_may_be(modicum):
    ran = modicum("estimate", *NUMBERS, "--tasks", "500")

    assert ran.status == 0
    # Ten prompts from 6,000 to 15,000 tokens at $0.15 a million, ten replies at $0.60.
    assert "input uncached  105,000" in ran.out
    assert "a task: ~ $0.017; 500 tasks: ~ $8.47" in ran.out
    assert "by more than 29 % in one case of ten" in ran.out
    assert max(map(len, ran.out.splitlines()[:-1])) <= 80


def test_the_document_has_design_estimate_and_price(modicum):
    found = modicum("estimate", *NUMBERS, "--cache-hits", "1", "--json").json

    assert found["estimate"]["prompt_tokens"] == 105_000
    assert found["estimate"]["cache_read_tokens"] == 90_000
    assert found["tasks_usd"] == pytest.approx(found["estimate"]["cost_usd"] * 1000)
    assert found["price"].startswith(("genai-prices", "corrections"))
    assert found["billed"] is None


def test_calls_longer_than_the_context_window_are_not_priced_in_silence(modicum):
    too_long = ("--model", "gpt-4o-mini", "--calls", "200", "--first", "6000", "--growth", "1000")

    said = " ".join(modicum("estimate", *too_long).out.split())
    assert "has 205,000 tokens, and the context window of gpt-4o-mini 128,000: it cannot be made" in said
    assert modicum("estimate", *too_long, "--json").json["context_window_tokens"] == 128_000
    assert "context window" not in modicum("estimate", *NUMBERS).out


def test_the_error_of_measured_numbers_is_not_said_of_guessed_ones(modicum, folder):
    guessed = "of numbers that were guessed nobody can say how far off they are; how far off"

    assert guessed in " ".join(modicum("estimate", *NUMBERS).out.split())
    said = modicum("estimate", "--model", "gpt-4o", "--from", write_trace(folder / "a.jsonl", calls=4)).out
    assert said.splitlines()[0].startswith("conversations of a task: 1, with 4 calls on average")
    assert "how far off it may be" in said
    assert "guessed" not in said


def test_numbers_come_from_logs_and_a_bill_shows_the_error(modicum, folder):
    trace = write_trace(folder / "a.jsonl", calls=4)

    found = modicum("estimate", "--model", "gpt-4o", "--from", trace, "--bill", trace, "--json").json
    assert found["design"]["calls"] == 4
    assert found["billed"]["tasks"] == 20
    assert abs(found["billed"]["error"]) < 0.01
    ran = modicum("estimate", "--model", "gpt-4o", "--from", trace, "--calls", "8", "--bill", trace)
    assert "a task over 20 tasks; error of the estimate: +1" in ran.out  # twice the calls: about twice the bill


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--model", "gpt-4o"), "--calls and --first must be given, or logs of something alike: --from PATH"),
        (("--model", "gpt-4o", "--calls", "3"), "--first must be given"),
        (("--model", "nobodys", "--calls", "3", "--first", "9"), "the price of 'nobodys' is not known"),
        (("--model", "gpt-4o", "--from", "empty.jsonl"), "the logs of --from hold no calls with known tokens"),
        (("--model", "gpt-4o", "--calls", "3", "--first", "9", "--bill", "empty.jsonl"), "the logs of --bill hold no"),
        (("--model", "gpt-4o", "--calls", "-3", "--first", "9"), "--calls"),
        (("--model", "gpt-4o", "--calls", "0", "--first", "9"), "0.0 is not in the range 0<x<=1000000000"),
        (("--model", "gpt-4o", "--calls", "nan", "--first", "9"), "--calls"),
        (("--model", "gpt-4o", "--calls", "3", "--first", "9", "--cache-hits", "1.5"), "--cache-hits"),
    ],
)
def test_what_is_missing_or_wrong_is_named(modicum, folder, words, reason):
    (folder / "empty.jsonl").touch()

    ran = modicum("estimate", *words)
    assert (ran.status, reason in ran.err) == (2, True), ran.err
