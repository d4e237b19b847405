"""What routing learns from where nobody has a table: logs of one's own, and the outcomes of their tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from modicum.calls import Call, Problem, UserError
from modicum.importers.outcomes.logged_outcomes import LoggedTable, UserTexts, make_logged_table
from modicum.library import resources
from modicum.library.paths import check_paths_exist
from modicum.settings import read_settings


def read_logged_table(
    logs: Sequence[Path],
    problems: list[Problem],
    *,
    outcome: str,
    outcome_paths: Sequence[Path],
    ledger_url: str | None,
    models: Sequence[str],
) -> LoggedTable:
    """The prompts, stages, models and costs of these logs with the outcomes of their tasks.

    Args:
        logs: files or folders.
        problems: takes what cannot be read.
        outcome: the name of the outcome; empty: the only one there is.
        outcome_paths: files with outcomes; none: the ledger's.
        ledger_url: as `--ledger`.
        models: those that take part; none: all.

    Raises:
        UserError: there is no such outcome, or nothing to learn from.
    """
    from modicum.importers.read_logs import read_calls
    from modicum.ledger.booking import book_all, newest
    from modicum.library.call_booking import make_reading

    check_paths_exist(logs)
    settings = read_settings()
    values = (
        _outcomes_of_files(outcome_paths, outcome, problems)
        if outcome_paths
        else _outcomes_of_ledger(ledger_url, outcome)
    )
    listener = UserTexts()
    reading = replace(make_reading(anatomy=True, watches_text=False), listener=listener, count=_count_nothing)
    calls: list[Call] = []
    for found in read_calls(logs, reading, processes=1):  # one process: texts are handed over in memory
        if isinstance(found, Problem):
            problems.append(found)
        else:
            calls.append(found)
    prices = resources.load_prices(None, settings)
    entries = list(newest(book_all(calls, prices)))
    prices.save()
    return make_logged_table(entries, listener.texts, values, models)


def _outcomes_of_files(paths: Sequence[Path], name: str, problems: list[Problem]) -> Mapping[str, float]:
    from modicum.importers.outcomes.outcome_file import read_outcomes

    values: dict[str, float] = {}
    names: set[str] = set()
    for path in paths:
        for one in read_outcomes(path):
            if isinstance(one, Problem):
                problems.append(one)
            elif not name or one.name == name:
                names.add(one.name)
                values[one.task] = max(one.value, values.get(one.task, one.value))
    if len(names) > 1:
        raise UserError(
            f"the outcomes have several names ({', '.join(sorted(names)[:5])}); choose one with --outcome NAME"
        )
    return values


def _outcomes_of_ledger(url: str | None, name: str) -> Mapping[str, float]:
    from modicum.ledger.outcomes import choose_outcome

    with resources.open_ledger(url) as store:
        rows = store.ask("named_outcomes", outcome=choose_outcome(store, name))
    return {row["task"]: float(row["value"]) for row in rows}


def _count_nothing(_text: str, _model: str) -> int:
    """Tokens of parts are not asked for here."""
    return 1
