import json

from importers.fixture_pairs import cases_of
from modicum.importers.agents.opencode_messages import call_of, root_session


def message(**fields):
    case = next(case for case in cases_of("opencode") if case.name == "msg_anthropic.json")
    return json.loads(case.read_text()) | fields


def test_a_message_of_the_model_is_a_call():
    assert call_of(message(), "root").task == "root"
    assert call_of(message(role="user"), "root") is None


def test_the_session_of_an_agent_is_found_at_its_root(tmp_path):
    sessions = tmp_path / "session/project"
    sessions.mkdir(parents=True)
    (sessions / "ses_child.json").write_text('{"parentID": "ses_root"}')
    (sessions / "ses_root.json").write_text("{}")
    path = tmp_path / "message/ses_child/msg_1.json"

    assert root_session(path, "ses_child") == "ses_root"
    assert root_session(path, "ses_unknown") == "ses_unknown"
    assert root_session(tmp_path / "elsewhere.json", "ses_child") == "ses_child"
