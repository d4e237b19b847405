import pytest

from energy.simulated_server import Truth, bursts, simulate
from modicum.calls import UserError
from modicum.energy.samples import GpuFacts
from modicum.energy.watch_log import FORMAT, LogHeader, LogWriter, read_log
from modicum.energy.watch_totals import make_report

HEADER = LogHeader(FORMAT, (GpuFacts("GPU-0", "H100", "nvml", has_energy_counter=True),), ("http://h",), 1.0)


def written(path, samples):
    with path.open("wb") as file:
        writer = LogWriter(file, HEADER)
        for sample in samples:
            writer.write(sample)
    return path


def test_a_recorded_log_replays_to_the_same_figures(tmp_path):
    samples = simulate(Truth(), 200, 4, rate=bursts)

    recording = read_log(written(tmp_path / "run.jsonl", samples))

    assert recording.header == HEADER
    assert make_report(recording.samples, "x") == make_report(samples, "x")


def test_a_log_cut_in_its_last_line_is_read_up_to_there(tmp_path):
    path = written(tmp_path / "run.jsonl", simulate(Truth(), 20, 4))
    path.write_bytes(path.read_bytes()[:-30])

    recording = read_log(path)

    assert len(recording.samples) > 10
    assert recording.problems[0].line == len(recording.samples) + 2


@pytest.mark.parametrize("content", [b"", b"{}\n", b'{"format":"other","gpus":[],"servers":[],"interval_s":1}\n', b"x"])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "other"
    path.write_bytes(content)

    with pytest.raises(UserError, match="not a log"):
        read_log(path)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_log(tmp_path / "none")
