from ledger.samples import entry
from modicum.cli.inputs.task_energy import add_task_energy
from modicum.insights.scoping.scope import Scope
from modicum.ledger.opening import open_store

EVER = Scope()


def test_without_watched_servers_cells_stay_as_they_are():
    store = open_store(":memory:")
    store.append([entry("c1")])
    cells = [{"name": "m", "task": "t"}]

    assert add_task_energy(store, [], EVER) == []
    assert add_task_energy(store, cells, EVER, by="model", tag="") == cells
