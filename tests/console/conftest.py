import pytest

from console.rig import LedgerProcess
from modicum.console.client import ConsoleStore
from modicum.console.running import find


@pytest.fixture
def ledger(tmp_path):
    with LedgerProcess(tmp_path) as ledger:
        yield ledger


@pytest.fixture
def store(ledger):
    return ConsoleStore(find(ledger.folder))
