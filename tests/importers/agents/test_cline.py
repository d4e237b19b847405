import json
import shutil

from importers.fixture_pairs import cases_of, read
from modicum.importers.agents.cline import places

CASES = {case.name: case for case in cases_of("cline")}
START_MS = 1777626000000


def roo_task(home, *models):
    folder = home / ".config/Code/User/globalStorage/rooveterinaryinc.roo-cline/tasks/t-1"
    folder.mkdir(parents=True)
    shutil.copy(CASES["roo.json"], folder / "ui_messages.json")
    details = "# Current Workspace Directory (/home/ada/shop) Files\n<model>{}</model>\n"
    sent = [
        {"role": "user", "ts": ts, "content": [{"type": "text", "text": details.format(model)}]} for ts, model in models
    ]
    (folder / "api_conversation_history.json").write_text(json.dumps(sent))
    (folder / "task_metadata.json").write_text('{"files_in_context": []}')
    return folder


def test_roo_names_the_model_in_what_it_sent(tmp_path):
    folder = roo_task(tmp_path, (START_MS + 1_500, "claude-sonnet-4-5"), (START_MS + 2_500, "gpt-5"))

    calls, problems = read([folder])

    assert problems == []
    assert [call.model for call in calls] == ["claude-sonnet-4-5", "gpt-5", "", "", ""]
    assert {call.project for call in calls} == {"/home/ada/shop"}
    assert {call.task for call in calls} == {"t-1"}
    assert {call.tags["agent"] for call in calls} == {"roo-code"}


def test_one_model_of_a_whole_task_needs_no_times(tmp_path):
    folder = roo_task(tmp_path, (None, "claude-sonnet-4-5"))

    calls, _ = read([folder])

    assert [call.model for call in calls if "kind" not in call.tags] == ["claude-sonnet-4-5"] * 4


def test_a_broken_history_leaves_the_counts(tmp_path):
    folder = roo_task(tmp_path)
    (folder / "api_conversation_history.json").write_text('[{"role": "us')

    calls, _ = read([folder / "ui_messages.json"])

    assert [call.usage.total_tokens for call in calls] == [25307, 25307, 0, 905, 0]


def test_tasks_of_all_editors_are_found(tmp_path):
    folder = roo_task(tmp_path, (None, "gpt-5"))
    own = tmp_path / ".cline" / "data" / "sessions" / "s2"
    own.mkdir(parents=True)
    shutil.copy(CASES["s2.messages.json"], own)

    assert places(tmp_path, {}) == [folder / "ui_messages.json", own / "s2.messages.json"]


def test_a_row_that_was_written_twice_is_one_call(tmp_path):
    rows = json.loads(CASES["ui_messages.json"].read_text())
    (tmp_path / "ui_messages.json").write_text(json.dumps([rows[2], rows[2]]))

    calls, _ = read([tmp_path])

    assert len({call.call_id for call in calls}) == 1
