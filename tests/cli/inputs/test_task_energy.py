from datetime import UTC, datetime

from ledger.samples import entry
from modicum.cli.inputs.task_energy import add_task_energy
from modicum.ledger.opening import open_store

SPAN = (datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


def test_without_watched_servers_cells_stay_as_they_are():
    store = open_store(":memory:")
    store.append([entry("c1")])
    cells = [{"name": "m", "task": "t"}]

    assert add_task_energy(store, [], SPAN) == []
    assert add_task_energy(store, cells, SPAN, by="model", tag="", zone="UTC") == cells
