import tomllib

from energy.command import run, run_json
from insights.budgets.test_measured_rates import mixed
from modicum.ledger.opening import open_store
from modicum.ledger.records import ENERGY_WINDOWS


def test_rates_are_rows_that_the_settings_take(tmp_path, capsys):
    ledger = str(tmp_path / "ledger.duckdb")
    store = open_store(ledger)
    store.append_records(ENERGY_WINDOWS, mixed())
    store.close()

    code, out, _ = run(capsys, "energy", "rates", "--ledger", ledger)

    assert code == 0
    assert tomllib.loads(out)["energy"] == [
        {"model": "llama-70b", "joules_per_prompt_token": 0.02, "joules_per_generated_token": 0.5}
    ]
    assert run_json(capsys, "energy", "rates", "--ledger", ledger)[1]["rates"][0]["windows"] == 8


def test_a_ledger_without_windows_says_what_books_them(tmp_path, capsys):
    ledger = str(tmp_path / "ledger.duckdb")
    open_store(ledger).close()

    assert "modicum energy watch" in run(capsys, "energy", "rates", "--ledger", ledger)[2]
