"""Every figure of every table of the console stands in what its verb prints with `--json`, over the sample."""

import shlex
from decimal import Decimal

import pytest

from console.rig import asking_of
from modicum.cli.console.sample_state import add_sample_state
from modicum.cli.inputs.audit_answers import add_outcomes
from modicum.cli.inputs.found_logs import _sample_folder
from modicum.cli.inputs.log_reading import read_logs
from modicum.console.pages import PAGES
from modicum.console.view import read_view
from modicum.insights.audit import audit, audit_document
from modicum.insights.scoping.time_span import EVER, NEVER
from modicum.ledger.opening import open_store
from modicum.library.call_booking import book_calls, make_reading
from modicum.library.resources import load_prices
from modicum.settings import Settings, read_settings, state_folder

PATHS = {
    "overview": ("", "since=2026-03-04&where=app=support-bot"),
    "where": ("by=team", "by=user&until=2026-03-08", "by=tool"),
    "models": ("outcome=resolved",),
    "month": ("month=2026-03",),
    "waste": ("",),
}
"""What addresses say of pages, beside nothing."""
DERIVED = {"share", "$ a call", "$ per 1M tokens", "$ a turn", "tokens a second", "standing", "outcomes per task"}
"""Columns that are quotients of figures of the verb."""
WITHOUT_VERB = {"log"}
"""Pages of which no verb prints the same."""


@pytest.fixture
def asking(tmp_path, monkeypatch):
    """The sample as `modicum console --found` shows it, in the ledger that verbs find."""
    place, path = tmp_path / "ledger.duckdb", tmp_path / "modicum.toml"
    budget = '[[budget]]\nname = "support"\nper = "ever"\nlimit_usd = 0.2\nteam = "service"\n'
    path.write_text(f'timezone = "UTC"\nledger = "{place}"\n\n{budget}')
    monkeypatch.setenv("MODICUM_CONFIG", str(path))
    store, settings, problems = open_store(str(place)), Settings(timezone="UTC"), []
    prices, sample = load_prices(None, settings), _sample_folder()
    logs = [sample / "logs" / name for name in ("support-bot.jsonl.gz", "copywriters.jsonl.gz", "0302-label.jsonl")]
    book_calls(read_logs(logs, make_reading(anatomy=True), None, problems), store, prices)
    add_outcomes(store, [sample / "outcomes.csv"], problems)
    folder = state_folder()
    folder.mkdir(parents=True)
    add_sample_state(folder, store)

    document = audit_document(audit(store, prices, (EVER, NEVER)))
    yield asking_of(store, read_settings=read_settings, state=folder, audit=lambda _scope, _changes: document)
    store.close()


def numbers_in(document):
    """All numbers of a document, at any depth."""
    if isinstance(document, dict):
        return {number for value in document.values() for number in numbers_in(value)}
    if isinstance(document, list):
        return {number for value in document for number in numbers_in(value)}
    if isinstance(document, int | float) and not isinstance(document, bool):
        return {round(float(document), 9)}
    return set()


def read(asking, page, words):
    """The content of a page, when all of it is there."""
    view = read_view([tuple(word.split("=", 1)) for word in words.split("&") if word], "UTC")
    content = page.read(asking, view)
    while "job" in content.parts and content.parts["job"].is_running:
        content = page.read(asking, view)
    return content


def rows_of(table):
    """The figures of each row, by column; texts are left out."""
    for row in [*table.rows, *([table.total] if table.total else [])]:
        yield {
            column: round(float(cell.value), 9)
            for column, cell in zip(table.columns, row, strict=True)
            if column not in DERIVED and isinstance(cell.value, int | float | Decimal)
        }


def test_every_figure_of_a_table_stands_in_the_json_of_its_verb(asking, modicum):
    printed, shown, lacking = {}, set(), {}
    for page in PAGES:
        for words in PATHS.get(page.name, ("",)):
            for table in read(asking, page, words).tables:
                if not table.verb or not table.rows:
                    continue
                if table.verb not in printed:
                    _, *verb = shlex.split(table.verb)
                    ran = modicum(*verb, "--json")
                    assert ran.status == 0, (table.verb, ran.err)
                    printed[table.verb] = ran.json
                known = numbers_in(printed[table.verb])
                if page.name == "energy":  # calls and tokens stand beside joules, and the verb has joules only
                    known |= numbers_in(modicum("bill", "--by", "model", "--json").json)
                for row in rows_of(table):
                    for column in [name for name, figure in row.items() if figure not in known]:
                        lacking.setdefault((table.verb, column), row[column])
                shown.add(page.name)
    assert lacking == {}
    assert shown == {page.name for page in PAGES} - WITHOUT_VERB
