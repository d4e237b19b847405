"""What was learned of tools outlives a restart, and goes with its owner."""

import asyncio

import msgspec
import pytest

from modicum.calls import Owner
from modicum.gateway.own_tools import tool_use_file
from modicum.gateway.own_tools.tool_use_file import FILE_NAME, ToolUseFile, erase_tool_use, read_tool_use
from optimizers.test_tool_use import hold_talks, units

ANN, BOB = Owner("web", user="ann", key="k1"), Owner("ops", user="bob", key="k2")


def opened(folder, key=b"k" * 32):
    return ToolUseFile(folder, key, is_alone=True)


def conversations(file, owner):
    return file.use.demand(owner, units(b"new"))[0].conversations


def test_a_restart_goes_on_from_what_was_known_and_no_name_of_a_tool_is_on_disk(tmp_path):
    first = opened(tmp_path)
    hold_talks(first.use, 10, ANN)
    first.close()
    second = opened(tmp_path)

    demand = second.use.demand(ANN, units(b"new"))[0]
    assert (demand.conversations, dict(demand.called)) == (10, {"grep": 10})
    assert demand.seldom(frozenset(["grep", "mail"])) == frozenset(["mail"])
    assert b"grep" not in (tmp_path / FILE_NAME).read_bytes()
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert conversations(opened(tmp_path, b"another key"), ANN) == 0


def test_who_is_erased_is_forgotten_by_a_gateway_that_runs_too(tmp_path, monkeypatch):
    monkeypatch.setattr(tool_use_file, "EVERY_S", 0.0)
    running = opened(tmp_path)
    hold_talks(running.use, 3, ANN)
    hold_talks(running.use, 4, BOB)
    asyncio.run(running.keep())
    assert len(read_tool_use(tmp_path / FILE_NAME)) == 2

    assert erase_tool_use(tmp_path, "user", "ann") == 1
    asyncio.run(running.keep())
    hold_talks(running.use, 1, BOB, first=b"more %d")
    running.close()

    assert (conversations(running, ANN), conversations(running, BOB)) == (0, 5)
    assert [one.owner for one in read_tool_use(tmp_path / FILE_NAME)] == [("ops", "", "bob", "k2")]
    assert erase_tool_use(tmp_path, "team", "nobody") == 0


@pytest.mark.parametrize("content", [b"", b"[", b"{}", b'[{"program": 1}]', b"\xff\xfe", b'[{"program":"zz"}]'])
def test_a_broken_file_is_learned_anew(tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    file = opened(tmp_path)
    hold_talks(file.use, 2, ANN)
    file.close()

    assert conversations(opened(tmp_path), ANN) == 2
    (tmp_path / FILE_NAME).write_bytes(content)
    assert erase_tool_use(tmp_path, "user", "ann") == 0


def test_digests_that_are_none_are_a_broken_file(tmp_path):
    file = opened(tmp_path)
    hold_talks(file.use, 2, ANN)
    file.close()
    (record,) = read_tool_use(tmp_path / FILE_NAME)
    (tmp_path / FILE_NAME).write_bytes(msgspec.json.encode([msgspec.structs.replace(record, program="no digest")]))

    assert conversations(opened(tmp_path), ANN) == 0


def test_where_nothing_is_learned_nothing_is_written(tmp_path):
    opened(tmp_path).close()
    several = ToolUseFile(tmp_path, b"k", is_alone=False)
    several.close()

    assert several.use is None
    assert not (tmp_path / FILE_NAME).exists()
