from datetime import UTC, datetime, timedelta

import pytest

from console.rig import Site
from ledger.samples import entry
from modicum.calls import EnergyWindow, Usage, UserError
from modicum.console.pages.energy import read
from modicum.console.view import read_view
from modicum.ledger.opening import open_store
from modicum.ledger.records import ENERGY_WINDOWS

START = datetime.fromtimestamp(1_700_000_000, UTC)


@pytest.fixture
def site():
    store = open_store(":memory:")
    window = EnergyWindow(
        started=START.timestamp(),
        seconds=5.0,
        joules=3600.0,
        gpus=("GPU-0",),
        servers=("http://gpu1:8000",),
        provider="own",
        counted=True,
        generated_tokens=100.0,
        prompt_tokens=50.0,
        cached_tokens=None,
        steps=50.0,
        running_seconds=5.0,
        busy_seconds=5.0,
    )
    store.append_records(ENERGY_WINDOWS, [window])
    finished = START + timedelta(seconds=5)
    usage = Usage(50, output_visible=100)
    store.append([entry("c", "0.5", provider="own", model="m", started=START, finished=finished, usage=usage)])
    yield Site(store)
    store.close()


def test_joules_stand_beside_dollars_and_grams_beside_both(site):
    content = read(site.asking, read_view([("grid", "400"), ("pue", "1.5")], "UTC"))
    (row,) = content.table("energy-by-model").rows

    assert content.tiles[0].value == "0.001 kWh"
    assert (row[0].text, row[1].text, row[3].text != "") == ("m", "$0.50", True)
    assert row[8].value == pytest.approx(row[2].value / 3.6e6 * 1.5 * 400)
    assert "CO2" in [tile.label for tile in content.tiles]


def test_without_the_grids_factor_there_are_no_grams(site):
    content = read(site.asking, read_view([], "UTC"))

    assert "CO2" not in [tile.label for tile in content.tiles]
    assert content.table("energy-by-model").rows[0][8].text == ""
    assert site.get("/energy").status == 200


@pytest.mark.parametrize("words", [("grid", "much"), ("pue", "0.5"), ("grid", "-1")])
def test_factors_that_cannot_be_are_said(site, words):
    with pytest.raises(UserError):
        read(site.asking, read_view([words], "UTC"))
