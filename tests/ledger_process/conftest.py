import pytest

from ledger_process.rig import LedgerProcess
from modicum.ledger_process.client import LedgerProcessStore
from modicum.ledger_process.running import find


@pytest.fixture
def ledger(tmp_path):
    with LedgerProcess(tmp_path) as ledger:
        yield ledger


@pytest.fixture
def store(ledger):
    return LedgerProcessStore(find(ledger.folder))
