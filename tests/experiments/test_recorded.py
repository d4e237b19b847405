from datetime import timedelta

from experiments.samples import START, experiment
from modicum.experiments.decisions import EVENT_KIND, ExperimentEvent
from modicum.experiments.recorded import read_graded, read_recorded_savings
from modicum.ledger.events import EventFile
from modicum.ledger.opening import open_store


def test_experiments_of_a_folder_and_of_a_time(tmp_path):
    store = open_store(":memory:")
    assert read_graded(store, tmp_path) == []
    assert read_recorded_savings(store, tmp_path) == []
    events = EventFile(tmp_path / "events.sqlite")
    events.append(
        EVENT_KIND, ExperimentEvent(what="started", name="cheaper", at=START, by="ada", definition=experiment())
    )
    events.close()

    (one,) = read_graded(store, tmp_path)
    assert (one.experiment.name, one.saving.measured_usd, one.why_safe) == ("cheaper", None, "")
    assert [saving.name for saving in read_recorded_savings(store, tmp_path)] == ["cheaper"]
    before = (START - timedelta(days=9), START - timedelta(days=8))
    assert read_recorded_savings(store, tmp_path, before) == []
    store.close()
