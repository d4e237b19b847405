"""Nobody else on the machine can read what modicum keeps, whatever the umask; what a user asks for by name is the
user's."""

import os
import stat
import subprocess
import sys
from contextlib import contextmanager

import pytest

from cli.test_supervisor import Site, eventually
from modicum.library.file_permissions import private_files, shared_files


@contextmanager
def umask(mask):
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def open_to_others(folder):
    return {
        str(path.relative_to(folder)): oct(stat.S_IMODE(path.lstat().st_mode))
        for path in folder.rglob("*")
        if path.lstat().st_mode & 0o077
    }


def names_in(folder):
    return {path.name for path in folder.rglob("*")}


def test_a_gateway_with_two_workers_keeps_everything_to_itself(tmp_path):
    with umask(0), Site(tmp_path) as site:
        reply = site.post(**{"x-modicum-task": "PR-1", "x-modicum-agent-team": "none"})
        assert reply.status_code == 200
        headers = {"authorization": f"Bearer {site.key}", "content-type": "application/json"}
        told = {"task": "PR-1", "name": "merged", "value": 1}
        site.run("key", "list")
        assert site.told("/outcomes", told, headers) == 200
        assert site.told("/v1/traces", {"resourceSpans": []}, headers) == 200
        eventually(lambda: [entry for entry in site.entries() if entry.call.task == "PR-1"])

        kept = tmp_path / "modicum"
        names = names_in(tmp_path)
        assert open_to_others(kept) == {}
        assert not kept.stat().st_mode & 0o077
        assert not (tmp_path / "ledger.duckdb").stat().st_mode & 0o077
        assert all(not path.stat().st_mode & 0o077 for path in tmp_path.glob("ledger.duckdb*"))
        needed = {"console.json", "digest.key", "events.sqlite", "events.sqlite-wal", "events.stamp", "up.lock"}
        assert needed | {"ledger.duckdb", "ledger.duckdb.wal", "journal", "metrics", "workers"} <= names
        assert any(name.endswith(".underway") for name in names)
        assert any(name.endswith(".shipped") for name in names)
        assert any(name.endswith(".db") for name in names_in(kept / "gateway" / "metrics"))


def words(*more):
    done = subprocess.run([sys.executable, "-m", "modicum", *more], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_import_keeps_everything_to_itself_and_a_page_is_the_users(home, tmp_path, transcripts):
    with umask(0o022):
        words("import", str(transcripts))
        words("audit", str(transcripts), "--html", "page.html")
        words("init")

    assert "ledger.duckdb" in names_in(home)
    assert open_to_others(home) == {}
    work = tmp_path / "work"
    assert stat.S_IMODE((work / "page.html").stat().st_mode) == 0o644
    assert stat.S_IMODE((work / "modicum.toml").stat().st_mode) == 0o600


def test_a_folder_that_was_open_is_closed(home):
    folder = home / "xdg_data_home" / "modicum"
    with umask(0):
        folder.mkdir(parents=True)
        words("key", "create", "ci")

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert open_to_others(folder) == {}


@pytest.mark.parametrize(("mask", "mode"), [(0, 0o666), (0o022, 0o644), (0o027, 0o640)])
def test_the_users_umask_holds_for_what_is_shared_and_comes_back(tmp_path, mask, mode):
    with umask(mask):
        with private_files():
            (tmp_path / "kept").write_text("")
            with shared_files():
                (tmp_path / "shown").write_text("")
            (tmp_path / "kept-again").mkdir()
        after = os.umask(mask)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir() if path.name[:1] in "ks"}
    assert modes == {"kept": 0o600, "shown": mode, "kept-again": 0o700}
    assert after == mask
