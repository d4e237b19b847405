from energy.command import run, run_json

ASKED = ["energy", "estimate", "--provider", "openai", "--model", "gpt-4o", "--output-tokens", 500, "--seconds", 9]


def test_a_guess_has_no_interval_and_says_what_it_leaves_out(capsys):
    code, out, _ = run(capsys, *ASKED)

    assert code == 0
    assert out.startswith("a guess: ")
    assert "no interval: its error is not known" in out
    assert "prompt tokens" in out


def test_json_says_that_it_is_estimated(capsys):
    assert run_json(capsys, *ASKED)[1]["basis"] == "estimated"


def test_an_unknown_model_is_status_2(capsys):
    code, _, err = run(capsys, *ASKED[:4], "--model", "unheard-of", *ASKED[6:])

    assert code == 2
    assert "does not know the model" in err
