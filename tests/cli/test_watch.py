import shutil
import threading
from contextlib import closing

from modicum.cli.watch import watch_changes
from modicum.ledger.opening import open_store


def test_what_is_there_comes_first_and_then_what_is_written(tmp_path):
    stop = threading.Event()
    seen = watch_changes([tmp_path], 0.05, stop)

    assert next(seen) == [tmp_path]
    written = tmp_path / "new.jsonl"
    threading.Timer(0.2, lambda: written.write_text("{}")).start()
    assert next(seen) == [written]
    stop.set()
    seen.close()


def test_a_fork_that_is_written_later_rests_on_nothing_that_only_its_parent_has(
    modicum, transcripts, tmp_path, monkeypatch
):
    parent, fork = transcripts / "session.jsonl", tmp_path / "fork.jsonl"
    rows = parent.read_text()
    own = rows.splitlines()[-1].replace("msg_01C", "msg_09Z").replace('"isSidechain":true', '"isSidechain":false')
    fork.write_text((rows + own + "\n").replace('"s-1"', '"s-9"'))
    monkeypatch.setattr("modicum.cli.watch.watch_changes", lambda *_: iter([[parent], [fork]]))

    ran = modicum("watch", tmp_path)

    assert ran.out.splitlines() == ["3 new calls, 0 that had grown", "1 new call, 0 that had grown"]
    with closing(open_store(str(next(tmp_path.rglob("ledger.duckdb"))))) as store:
        (found,) = [entry.call for batch in store.entries() for entry in batch if entry.call.call_id == "msg_09Z"]
    assert (found.task, found.anatomy.kept_segments) == ("s-9", 0)
    assert sum(part.tokens for part in found.anatomy.added) == found.usage.prompt_tokens


def test_changed_files_are_booked(modicum, transcripts, tmp_path, monkeypatch):
    log = tmp_path / "s.jsonl"
    shutil.copy(transcripts / "session.jsonl", log)
    monkeypatch.setattr("modicum.cli.watch.watch_changes", lambda *_: iter([[log], [log]]))

    ran = modicum("watch", log)

    assert ran.out.splitlines() == ["3 new calls, 0 that had grown"]
