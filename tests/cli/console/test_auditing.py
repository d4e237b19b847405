import pytest

from ledger.samples import entry
from ledger_process.rig import LedgerProcess
from modicum.calls import UserError
from modicum.cli.console.auditing import BackgroundAudit, answer, audit_beside
from modicum.cli.console.ledger_access import opener_of
from modicum.insights.scoping.scope import Scope


def test_the_document_is_that_of_the_verb(tmp_path, modicum):
    with LedgerProcess(tmp_path) as ledger:
        with opener_of(ledger.place, tmp_path)() as store:
            store.append([entry("c1", "1.5")])
        document = audit_beside(ledger.place, tmp_path, Scope(), ("cap_output=9",))
    expected = modicum("audit", "--ledger", ledger.place, "--what-if", "cap_output=9", "--json").json

    assert document == {
        name: value
        for name, value in expected.items()
        if name not in {"trials", "problems", "prices_of", "place", "made_at"}
    }


def test_what_cannot_be_audited_is_said_in_one_line(tmp_path):
    with pytest.raises(UserError, match="history was not replayed: no process holds the ledger"):
        audit_beside(str(tmp_path / "none.duckdb"), tmp_path, Scope(), ())


def test_the_question_is_answered_in_this_process_too(tmp_path):
    with LedgerProcess(tmp_path) as ledger:
        with opener_of(ledger.place, tmp_path)() as store:
            store.append([entry("c1", "1.5")])
        scope = Scope()
        question = BackgroundAudit(
            place=ledger.place, folder=str(tmp_path), since=scope.since, until=scope.until, zone="UTC"
        )
        assert '"cost_usd": 1.5' in answer(question)
