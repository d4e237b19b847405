import shutil
from pathlib import Path

from modicum.calls import Call, Problem
from modicum.importers import read_calls
from modicum.importers.format import Reading

FIXTURES = Path(__file__).parent.parent / "fixtures" / "gemini-cli"


def test_an_agents_chat_belongs_to_the_session_in_whose_folder_it_lies(tmp_path):
    folder = tmp_path / "chats" / "g-1"
    folder.mkdir(parents=True)
    shutil.copy(FIXTURES / "rows.jsonl", folder / "g-2.jsonl")

    calls = [found for found in read_calls([tmp_path], Reading()) if isinstance(found, Call)]

    assert {(call.task, call.conversation, call.agent) for call in calls} == {("g-1", "g-2", "g-2")}


def test_a_document_whose_name_promises_lines_is_read_only_if_its_source_is_named(tmp_path):
    path = tmp_path / "session.jsonl"
    shutil.copy(FIXTURES / "session.json", path)

    (problem,) = read_calls([path], Reading())
    named = [found for found in read_calls([path], Reading(), source="gemini-cli") if isinstance(found, Call)]

    assert isinstance(problem, Problem)
    assert "one JSON document where the name promises lines" in problem.reason
    assert len(named) == 3
