import json

import pytest

from modicum.importers.claude_code.context import read
from modicum.importers.claude_code.events import EventLog
from modicum.importers.format import Reading

THINKS = b'{"maxThinkingTokens":31999}'


def log_of(first=THINKS):
    log = EventLog()
    log.add_prompt("begin", first, "default")
    assert log.take("2.1.29") == ()
    return log


def test_a_skill_and_the_prompt_that_ends_it():
    log = log_of()
    log.add_reply(["Read", "Skill"])
    log.add_meta_row()

    assert log.take("2.1.29") == ("skill",)
    assert log.take("2.1.29") == ()
    log.add_prompt("go on", THINKS, "default")
    assert log.take("2.1.29") == ("skill_ended",)
    log.add_prompt("and on", THINKS, "default")
    assert log.take("2.1.29") == ()


def test_a_command_counts_only_where_it_is_expanded():
    log = log_of()
    log.add_prompt("<command-name>/cost</command-name>", THINKS, None)
    log.add_prompt("<local-command-stdout>$1</local-command-stdout>", b"", None)
    log.add_meta_row()
    assert log.take("2.1.29") == ()
    log.add_prompt("<command-message>review</command-message>", b"", None)
    log.add_meta_row()

    assert log.take("2.1.29") == ("command", "thinking")


def test_changed_settings_versions_images_and_what_went_wrong():
    log = log_of()
    log.add_prompt("[Request interrupted by user]", b"", None)
    log.add_prompt("<bash-input>ls</bash-input>", b"", "plan")
    log.add_error()
    log.add_image()

    events = ("api_error", "client_version", "image", "interrupt", "permission_mode", "shell_command", "thinking")
    assert log.take("2.1.30") == events
    log.add_image()
    assert log.take(None) == ()


@pytest.mark.parametrize("odd", [2, None, [1], {"a": 1}])
def test_odd_facts_of_a_row_spoil_no_call(tmp_path, odd):
    usage = {"input_tokens": 3, "output_tokens": 5}
    message = {"id": "msg_1", "model": "claude-opus-4-5", "usage": usage, "content": [], "diagnostics": odd}
    row = {"type": "assistant", "uuid": "a", "timestamp": "2026-02-03T10:00:00Z", "message": message}
    said = {"type": "user", "uuid": "u", "message": {"content": "hi"}, "isApiErrorMessage": odd, "permissionMode": odd}
    path = tmp_path / "s.jsonl"
    path.write_text("".join(json.dumps(one | {"version": odd}) + "\n" for one in (said, row)))

    (found,) = read(path, Reading(anatomy=True))

    assert (found.call_id, found.usage.input_uncached) == ("msg_1", 3)
    assert found.anatomy.events == ()
