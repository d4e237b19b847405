from console.rig import Site
from experiments.samples import START, experiment
from modicum.console.pages.experiments import read
from modicum.console.view import read_view
from modicum.experiments.decisions import EVENT_KIND, ExperimentEvent
from modicum.ledger.events import EventFile


def test_promised_and_measured_stand_beside_each_other(few_calls, tmp_path):
    events = EventFile(tmp_path / "events.sqlite")
    events.append(
        EVENT_KIND, ExperimentEvent(what="started", name="cheaper", at=START, by="ada", definition=experiment())
    )
    events.close()
    site = Site(few_calls, state=tmp_path)
    content = read(site.asking, read_view([], "UTC"))

    assert content.table("savings").rows[0][0].text == "cheaper"
    assert content.table("savings").rows[0][3].text == "unknown"
    assert content.tiles[0].value == "unknown"
    assert content.table("experiments").rows[0][1].text == "go on"
    assert site.get("/experiments").status == 200
