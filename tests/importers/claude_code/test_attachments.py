import json

import msgspec
import pytest

from modicum.calls import SegmentKind
from modicum.importers.claude_code import context
from modicum.importers.claude_code.attachments import attachment_blocks
from modicum.importers.format import Reading

FILE = {"type": "nested_memory", "path": "/w/CLAUDE.md", "content": {"type": "Project", "content": "Be brief."}}


def blocks(attachment):
    return [(one.tool, one.text) for one in attachment_blocks(msgspec.Raw(msgspec.json.encode(attachment)))]


def test_each_part_has_its_name():
    assert blocks(FILE) == [("/w/CLAUDE.md", "Be brief.")]
    assert blocks(
        {"type": "instructions", "files": [{"path": "/a", "content": "x"}, {"path": "/b", "content": ""}]}
    ) == [("/a", "x")]
    assert blocks({"type": "skill_listing", "content": "- lint: lints"}) == [("list of skills", "- lint: lints")]
    assert blocks({"type": "agent_listing_delta", "addedLines": ["- Plan", 3]}) == [("list of agents", "- Plan")]
    assert blocks({"type": "deferred_tools_delta", "addedNames": ["A", "B"]}) == [("tools on demand", "A\nB")]
    assert blocks({"type": "mcp_instructions_delta", "addedNames": ["db"], "addedBlocks": ["Ask first."]}) == [
        ("instructions of db", "Ask first.")
    ]


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        {},
        {"type": "hook_success", "content": "x"},
        {"type": ["x"]},
        FILE | {"content": "text"},
        {"type": "instructions", "files": 3},
    ],
)
def test_what_is_no_such_part_gives_nothing(odd):
    assert blocks(odd) == []


def test_what_is_nested_too_deeply_gives_nothing():
    assert list(attachment_blocks(msgspec.Raw(b"[" * 5000))) == []


def test_a_beginning_consists_of_its_named_parts_and_the_rest(tmp_path):
    words = "Always write the reason before the change. " * 40
    common = {"sessionId": "s", "parentUuid": None, "isSidechain": False, "timestamp": "2026-02-03T10:00:00.000Z"}
    attached = {**FILE, "content": {"content": words}}
    usage = {"input_tokens": 3, "cache_creation_input_tokens": 9_000, "output_tokens": 5}
    message = {"id": "msg_1", "model": "claude-opus-4-5", "usage": usage, "content": []}
    rows = [
        {**common, "type": "user", "uuid": "u", "message": {"role": "user", "content": "Go."}},
        {**common, "type": "attachment", "uuid": "t", "attachment": attached},
        {**common, "type": "attachment", "uuid": "t", "attachment": attached},
        {**common, "type": "attachment", "attachment": 7, "uuid": "t2"},
        {**common, "type": "assistant", "uuid": "a", "message": message},
    ]
    path = tmp_path / "s.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    (call,) = context.read(path, Reading(anatomy=True))

    parts = {(part.kind, part.tool): part.tokens for part in call.anatomy.added}
    assert parts[SegmentKind.SYSTEM, "/w/CLAUDE.md"] > 200
    assert sum(parts.values()) == 9_003
    assert next(iter(parts)) == (SegmentKind.PREFIX, "")
