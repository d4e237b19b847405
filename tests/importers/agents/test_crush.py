import json

from importers.fixture_pairs import cases_of, read
from modicum.calls import Basis
from modicum.importers.agents.crush import places
from modicum.ledger.booking import book
from modicum.metering.prices import PriceBook


def test_the_cost_is_an_estimate_and_none_where_crush_knew_no_price():
    calls, _ = read([cases_of("crush")[0]])

    costs = [book(call, PriceBook()).cost for call in calls]

    assert [str(cost.usd) for cost in costs] == ["0.125", "None"]
    assert costs[0].basis is Basis.ESTIMATED


def test_projects_on_the_list_are_found(tmp_path):
    data = tmp_path / "crush"
    data.mkdir()
    (data / "projects.json").write_text(json.dumps({"projects": [{"path": "/home/ada/shop", "data_dir": ".crush"}, 1]}))

    assert [str(path) for path in places(tmp_path, {"CRUSH_GLOBAL_DATA": str(data)})] == [
        "/home/ada/shop/.crush/crush.db"
    ]
    assert places(tmp_path, {}) == []
