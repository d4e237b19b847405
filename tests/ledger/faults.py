"""What happens to files of journals: a backup is brought back, they are deleted, they are garbage."""

import sqlite3
from contextlib import closing

GARBAGE = ("a folder", "random", "empty", "a link to nothing", "of another program", "truncated")


class Backup:
    """A copy of a journal, and its return."""

    def __init__(self, journal):
        self.journal = journal
        self.copy = journal.with_name(journal.name + ".copy")
        _copy(journal, self.copy)

    def restore(self):
        remove(self.journal)
        _copy(self.copy, self.journal)


def _copy(source, target):
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
        read.backup(written)


def left_open(monkeypatch, use):
    """How many of the SQLite connections that `use` opens are open after it."""
    opened, connect = [], sqlite3.connect
    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", lambda *given, **more: opened.append(connect(*given, **more)) or opened[-1])
        use()
    assert opened
    return sum(_is_open(connection) for connection in opened)


def _is_open(connection):
    try:
        return connection.total_changes >= 0  # may be asked from every thread
    except sqlite3.ProgrammingError:
        return False


def remove(journal):
    for part in ("", "-wal", "-shm"):
        journal.with_name(journal.name + part).unlink(missing_ok=True)


def garbage(folder, name):
    """A file that is no journal, by what is wrong with it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.sqlite"
    if name == "a folder":
        path.mkdir()
    elif name == "random":
        path.write_bytes(bytes(range(256)) * 64)
    elif name == "empty":
        path.touch()
    elif name == "a link to nothing":
        path.symlink_to(folder / "nowhere")
    elif name == "of another program":
        base = sqlite3.connect(path)
        base.execute("CREATE TABLE records (seq INTEGER PRIMARY KEY, price REAL)")
        base.close()
    elif name == "truncated":
        base = sqlite3.connect(path)
        base.execute("CREATE TABLE records (seq INTEGER PRIMARY KEY AUTOINCREMENT, number, kind, body, context)")
        base.executemany("INSERT INTO records (number, kind, body) VALUES (?, 'call', ?)", [("1", b"x" * 900)] * 500)
        base.commit()
        base.close()
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 8])
    return path
