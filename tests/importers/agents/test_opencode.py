import json
import shutil
from pathlib import Path

from modicum.calls import Call
from modicum.importers import format_named, read_calls
from modicum.importers.format import Reading

FIXTURE = Path(__file__).parent.parent / "fixtures" / "opencode" / "msg_anthropic.json"


def test_the_task_of_an_agents_session_is_found_in_the_session_files(tmp_path):
    messages, sessions = tmp_path / "storage" / "message" / "ses_1", tmp_path / "storage" / "session" / "project"
    messages.mkdir(parents=True)
    sessions.mkdir(parents=True)
    shutil.copy(FIXTURE, messages / "msg_1.json")
    (sessions / "ses_1.json").write_text(json.dumps({"id": "ses_1", "projectID": "p", "parentID": "ses_0"}))
    (sessions / "ses_0.json").write_text(json.dumps({"id": "ses_0", "projectID": "p", "parentID": "ses_1"}))  # a circle

    (call,) = read_calls([tmp_path], Reading())

    assert isinstance(call, Call)
    assert (call.task, call.conversation, call.agent) == ("ses_0", "ses_1", "build")


def test_databases_and_messages_are_looked_for_in_the_data_folder(tmp_path):
    folder = tmp_path / "data" / "opencode"
    folder.mkdir(parents=True)
    (folder / "opencode-dev.db").touch()

    found = format_named("opencode").places(Path("/nowhere"), {"XDG_DATA_HOME": str(tmp_path / "data")})

    assert found[:2] == [folder / "opencode-dev.db", folder / "storage" / "message"]
    assert found[2:] == [tmp_path / "data" / "kilo" / "kilo.db"]
