"""`modicum key`, as a person types it, on a disk with room and on one without."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.process_rig import WORDS, on_a_full_disk, one_line_and_no_trace, run_modicum
from modicum.settings import data_folder


def test_a_key_is_shown_once_listed_and_revoked(folder):
    assert "modicum key create" in run_modicum("key", "list")
    assert "modicum key create" in run_modicum("key", "log")
    made = json.loads(run_modicum("key", "create", "ci", "--team", "platform", "--model", "gpt-*", "--json"))

    listed = run_modicum("key", "list")
    assert "platform" in listed
    assert made["key"] not in listed
    assert "revoked" in run_modicum("key", "revoke", "ci")
    assert "modicum key create" in run_modicum("key", "list")
    assert json.loads(run_modicum("key", "list", "--json")) == []
    assert "modicum key list" in run_modicum("key", "revoke", "ci", status=2)
    logged = json.loads(run_modicum("key", "log", "--json"))
    assert [(event["what"], event["name"], event["team"]) for event in logged] == [
        ("issued", "ci", "platform"),
        ("revoked", "ci", "platform"),
    ]
    assert run_modicum("key", "log").count("platform") == 2  # asked twice, booked once
    again = json.loads(run_modicum("key", "create", "ci", "--json"))
    assert json.loads(run_modicum("key", "revoke", "ci", "--json"))["id"] == again["id"]


def test_a_key_that_is_not_on_the_disk_is_not_shown_and_does_not_exist(folder):
    digest_key = data_folder() / "digest.key"
    one_line_and_no_trace(on_a_full_disk("key", "create", "ci"), str(digest_key), "File too large", "modicum doctor")
    assert not digest_key.exists()

    run_modicum("key", "create", "first")
    done = on_a_full_disk("key", "create", "ci")

    one_line_and_no_trace(done, "events.sqlite", "nothing was changed")
    assert [key["name"] for key in json.loads(run_modicum("key", "list", "--json"))] == ["first"]
    assert len(run_modicum("key", "create", "ci").strip()) > 20


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_key_that_cannot_be_shown_can_be_ended(folder, unbuffered):
    run_modicum("key", "create", "first")
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [*WORDS, "key", "create", "ci"],
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    made = json.loads(run_modicum("key", "list", "--json"))[-1]
    one_line_and_no_trace(done, "could not be shown", f"modicum key revoke {made['id']}")
    run_modicum("key", "revoke", made["id"])


FULL = """
mount -t tmpfs -o size=256k tmpfs "$XDG_DATA_HOME" || exit 99
"$0" -m modicum key create first || exit 98
dd if=/dev/zero of="$XDG_DATA_HOME/ballast" bs=1k 2>/dev/null
for name in 1 2 3 4 5 6 7 8 9; do "$0" -m modicum key create $name && echo made $name; done
rm "$XDG_DATA_HOME/ballast"
"$0" -m modicum key list --json
"""


def test_on_a_disk_that_is_really_full_only_keys_that_exist_are_shown(folder):
    Path(os.environ["XDG_DATA_HOME"]).mkdir()
    words = ["unshare", "--mount", "--map-root-user", "sh", "-c", FULL, sys.executable]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare, so no small disk of our own")
    if done.returncode != 0 and ("unshare" in done.stderr or done.returncode == 99):
        pytest.skip(f"no small disk can be mounted here: {done.stderr.splitlines()[0]}")

    shown, listed = done.stdout.split("[", 1)
    made = [line.removeprefix("made ") for line in shown.splitlines() if line.startswith("made ")]
    assert [key["name"] for key in json.loads("[" + listed)] == ["first", *made]
    assert len(made) < 9
    assert "Traceback" not in done.stderr
    assert "run the command again" in done.stderr or "cannot be used" in done.stderr


def test_a_broken_key_of_digests_is_said(folder):
    run_modicum("key", "create", "ci")
    (data_folder() / "digest.key").write_bytes(b"half of it")

    said = run_modicum("key", "create", "other", status=2)

    assert "is broken (10 bytes instead of 32)" in said
    assert "Traceback" not in said
