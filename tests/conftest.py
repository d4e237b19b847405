"""Every test has a home of its own: no test reads or writes the user's ledger, settings or logs."""

import atexit
import gc
import json
import os
import secrets
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from hypothesis import settings

from json_contract import faults_found, watch_printing
from modicum.cli import main
from modicum.ledger import embedded
from modicum.ledger.embedded import DuckDBStore
from modicum.ledger.opening import open_store

# Images of Python often set PYTHONDONTWRITEBYTECODE. With it every process that a test starts compiles modicum anew,
# and pytest compiles every test.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# No test leaves this machine. To read the machine's 140 authorities takes 30 ms, and each HTTP client does it anew: a
# third of the CPU time of the gateway's tests. Tests of TLS name the authorities that they trust.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).parent / "nobody.pem")

EXAMPLES = int(os.environ.get("MODICUM_EXAMPLES", "50"))
"""Of a property where its test names no number; more of them find more, and the suite has ten minutes. Where examples
are slow, a test takes a part of it.
"""
# Timing never decides a test.
settings.register_profile("modicum", deadline=None, max_examples=EXAMPLES)
settings.load_profile("modicum")

FIXTURES = Path(__file__).parent / "importers" / "fixtures"

watch_printing()


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What is collected lives as long as the run: looking for garbage among it costs 5 of 14 s of each worker, and
    costs again in each test that is followed by a full collection.
    """
    gc.disable()
    result = yield
    gc.freeze()
    gc.enable()
    return result


def pytest_configure():
    atexit.register(gc.unfreeze)  # libraries that look for leaks at the end find what goes now; pytest collects earlier


@pytest.fixture(autouse=True)
def _schemas():
    """What `--json` printed during a test is as the published schemas say."""
    yield
    assert faults_found() == []


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """The home folder, the current folder and the folders of the desktop standard, all empty."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TZ", "UTC")  # days are those of the machine's zone, wherever tests run
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(home / name.lower()))
    for name in ("MODICUM_CONFIG", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "COLUMNS"):  # a parallel run sets a width
        monkeypatch.delenv(name, raising=False)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return home


@pytest.fixture(scope="session", autouse=True)
def copied_ledgers(tmp_path_factory):
    """A ledger on DuckDB that a test begins in this process is a copy of an empty one: to apply all versions of the
    schema takes a tenth of a second, and more than a thousand tests begin a ledger, some of them a dozen. Those in
    memory are databases of one engine, since an engine takes some 50 ms to start.
    """
    make, migrate, connect = embedded._make, DuckDBStore._migrate, embedded._connect
    empty = tmp_path_factory.mktemp("duckdb") / "empty.duckdb"
    open_store(str(empty)).close()
    engine = duckdb.connect()
    engine.execute(f"ATTACH '{empty}' AS empty (READ_ONLY)")

    def copy_file(path):
        fresh = path.with_name(f"{path.name}.new-{os.getpid()}")
        with suppress(OSError):  # opening it says why
            shutil.copy(empty, fresh)
            with suppress(OSError):
                path.hardlink_to(fresh)
            fresh.unlink()

    def connect_in_engine(place, *, read_only):
        return connect(place, read_only=read_only) if place != ":memory:" else InMemory(engine)

    def copy_into_memory(store):
        if isinstance(store._base, InMemory):
            store._base.execute(f"COPY FROM DATABASE empty TO {store._base.name}")
        migrate(store)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "_make", copy_file)
        patch.setattr(embedded, "_connect", connect_in_engine)
        patch.setattr(DuckDBStore, "_migrate", copy_into_memory)
        yield {(embedded, "_make"): make, (embedded, "_connect"): connect, (DuckDBStore, "_migrate"): migrate}
    engine.close()


class InMemory:
    """A connection to a database in memory that is gone when it is closed, as one with an engine of its own is."""

    def __init__(self, engine):
        self.name = f"memory_{secrets.token_hex(8)}"
        self.engine, self.connection = engine, engine.cursor()
        self.connection.execute(f"ATTACH ':memory:' AS {self.name}")
        self.connection.execute(f"USE {self.name}")

    def __getattr__(self, name):
        return getattr(self.connection, name)

    def close(self):
        self.connection.close()
        with suppress(duckdb.Error):  # closed before
            self.engine.cursor().execute(f"DETACH {self.name}")


@pytest.fixture
def made_ledgers(copied_ledgers, monkeypatch):
    """Ledger files are made as users' are, version by version."""
    for (owner, name), own in copied_ledgers.items():
        monkeypatch.setattr(owner, name, own)


@pytest.fixture(scope="session")
def empty_clickhouse(tmp_path_factory):
    """The folder of an empty ledger on ClickHouse: all its versions of the schema take a second to be applied."""
    folder = tmp_path_factory.mktemp("clickhouse") / "empty"
    open_store(f"chdb://{folder}").close()
    return folder


@pytest.fixture(scope="module")
def module_clickhouse(empty_clickhouse, tmp_path_factory):
    """Where an empty ledger on ClickHouse lies, for the tests of one file."""
    folder = tmp_path_factory.mktemp("chdb") / "chdb"
    shutil.copytree(empty_clickhouse, folder, symlinks=True)
    return f"chdb://{folder}"


@pytest.fixture
def clickhouse_place(empty_clickhouse, tmp_path):
    """Where an empty ledger on ClickHouse lies, for this test alone."""
    shutil.copytree(empty_clickhouse, tmp_path / "chdb", symlinks=True)
    return f"chdb://{tmp_path}/chdb"


@pytest.fixture(params=["duckdb", "clickhouse"])
def place(request, tmp_path):
    """Where an empty ledger lies, on each engine."""
    is_clickhouse = request.param == "clickhouse"
    return request.getfixturevalue("clickhouse_place") if is_clickhouse else str(tmp_path / "ledger.duckdb")


@pytest.fixture
def store(place):
    """An empty ledger on each engine."""
    opened = open_store(place)
    yield opened
    opened.close()


@pytest.fixture
def ledger_in_memory():
    """An empty ledger that is gone with the test."""
    opened = open_store(":memory:")
    yield opened
    opened.close()


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def modicum(capsys):
    """Runs the command in this process, as a user types it."""

    def run(*words):
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Ran(stop.value.code, out, err)

    return run


@pytest.fixture
def transcripts(tmp_path):
    """A folder with Claude Code transcripts of our own making."""
    folder = tmp_path / "transcripts"
    folder.mkdir()
    for path in (FIXTURES / "claude-code" / name for name in ("session.jsonl", "rewind.jsonl")):
        shutil.copy(path, folder)
    return folder
