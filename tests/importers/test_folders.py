import pytest

from modicum.calls import Problem
from modicum.importers.files import head
from modicum.importers.folders import log_files


def reasons(found):
    return [item.reason for item in found if isinstance(item, Problem)]


def test_links_in_a_circle_end_and_unreadable_folders_are_problems(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "s.jsonl").write_text("{}")
    (tmp_path / "a" / "round").symlink_to(tmp_path)
    (tmp_path / "notes.md").write_text("no log")

    assert [path.name for path in log_files(tmp_path)] == ["s.jsonl"]


def test_a_folder_without_logs_says_so(tmp_path):
    (tmp_path / "notes.md").write_text("no log")

    assert "holds no logs" in reasons(log_files(tmp_path))[0]


def test_a_dangling_link_and_a_missing_path_are_problems(tmp_path):
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")

    (found,) = log_files(tmp_path)
    assert "No such file" in head(found).reason
    assert "no such file" in reasons(log_files(tmp_path / "nowhere"))[0]


def test_files_of_other_names_are_counted_once_with_their_endings(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.jsonl").write_text("{}")
        (tmp_path / f"{number}.jsonl.xz").write_text("packed")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "trace.log").write_text("")
    (tmp_path / "inner" / "calls").write_text("")

    found = list(log_files(tmp_path))

    assert len(found) == 4
    (reason,) = reasons(found)
    assert reason.startswith("5 files are skipped, no log by name (3 .xz, ")
    assert "1 .log" in reason
    assert "1 without an ending" in reason


@pytest.mark.parametrize(
    "name",
    ["CLAUDE.md", "sessions-index.json", "agent-1.meta.json", "opencode.db-wal", ".DS_Store", "tool-results/a.txt"],
)
def test_what_agents_keep_beside_their_logs_is_not_worth_a_word(tmp_path, name):
    (tmp_path / "agent-1.jsonl.gz").write_text("{}")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("{}")

    assert [path.name for path in log_files(tmp_path)] == ["agent-1.jsonl.gz"]


def test_a_description_of_no_log_is_read_like_any_file(tmp_path):
    (tmp_path / "agent-1.meta.json").write_text("{}")

    assert [path.name for path in log_files(tmp_path)] == ["agent-1.meta.json"]


def test_packed_logs_are_logs(tmp_path):
    for name in ("a.jsonl.zst", "b.json.gz"):
        (tmp_path / name).write_text("")

    assert [path.name for path in log_files(tmp_path)] == ["a.jsonl.zst", "b.json.gz"]
