import pytest

VERBS = [
    ["bill", "--since", "2031-01-01"],
    ["blocks", "--since", "2031-01-01"],
    ["export", "focus", "--since", "2031-01-01"],
    ["forecast", "--on", "2031-01-01"],
    ["statement", "--month", "2031-01"],
]


@pytest.fixture
def last_month(modicum, transcripts):
    modicum("import", transcripts, "--no-anatomy")
    return str(modicum("bill", "--by", "day", "--json").json["rows"][-1]["name"])[:7]


def test_a_ledger_with_calls_of_other_times_is_not_to_be_filled_again(modicum, last_month):
    for verb in VERBS:
        refused = modicum(*verb)

        assert refused.status == 2, verb
        assert last_month in refused.err, verb
        assert "modicum import" not in refused.err, verb


def test_a_forecast_made_as_the_refusal_says_is_there(modicum, last_month):
    assert f"--on {last_month}-28" in modicum("forecast", "--on", "2031-01-01").err
    assert modicum("forecast", "--on", f"{last_month}-28", "--json").json["month"] == last_month


def test_an_empty_ledger_is_to_be_filled(modicum):
    for verb in VERBS:
        refused = modicum(*verb)

        assert refused.status == 2, verb
        assert "modicum import" in refused.err, verb
        assert len(refused.err.splitlines()) == 1, verb
