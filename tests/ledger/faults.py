"""What happens to files of journals: a backup is brought back, they are deleted, they are garbage."""

import sqlite3

GARBAGE = ("a folder", "random", "empty", "a link to nothing", "of another program", "truncated")


class Backup:
    """A copy of a journal, and its return."""

    def __init__(self, journal):
        self.journal = journal
        self.copy = sqlite3.connect(":memory:")
        source = sqlite3.connect(journal)
        source.backup(self.copy)
        source.close()

    def restore(self):
        remove(self.journal)
        target = sqlite3.connect(self.journal)
        self.copy.backup(target)
        target.close()


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
