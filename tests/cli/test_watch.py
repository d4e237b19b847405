import shutil
import threading

from modicum.cli.watch import changes


def test_what_is_there_comes_first_and_then_what_is_written(tmp_path):
    stop = threading.Event()
    seen = changes([tmp_path], 0.05, stop)

    assert next(seen) == [tmp_path]
    written = tmp_path / "new.jsonl"
    threading.Timer(0.2, lambda: written.write_text("{}")).start()
    assert next(seen) == [written]
    stop.set()
    seen.close()


def test_changed_files_are_booked(modicum, transcripts, tmp_path, monkeypatch):
    log = tmp_path / "s.jsonl"
    shutil.copy(transcripts / "session.jsonl", log)
    monkeypatch.setattr("modicum.cli.watch.changes", lambda *_: iter([[log], [log]]))

    ran = modicum("watch", log)

    assert ran.out.splitlines() == ["3 new calls, 0 that had grown"]
