"""What `gh` prints, in the field names of its source, and rows of transcripts."""

import json
from datetime import UTC, datetime

import pytest

from modicum.importers.outcomes.pull_requests import parse_name, read_pull_requests, read_session_links

GH = {
    "number": 12,
    "url": "https://github.com/Ada/Shop/pull/12",
    "body": "",
    "headRefName": "fix",
    "headRefOid": "h" * 40,
    "baseRefName": "main",
    "isCrossRepository": False,
    "mergedAt": "2026-02-03T12:00:00Z",
    "closedAt": "2026-02-03T12:00:00Z",
    "mergeCommit": {"oid": "m" * 40},
    "commits": [{"oid": "c" * 40, "authoredDate": "2026-02-03T11:00:00Z", "messageHeadline": "x"}],
    "statusCheckRollup": [],
}
REST = {
    "number": 12,
    "html_url": "https://github.com/ada/shop/pull/12",
    "body": None,
    "head": {"ref": "fix", "sha": "h" * 40, "repo": {"full_name": "ada/shop"}},
    "base": {"ref": "main", "repo": {"full_name": "ada/shop"}},
    "merged_at": "2026-02-03T12:00:00Z",
    "closed_at": "2026-02-03T12:00:00Z",
    "merge_commit_sha": "m" * 40,
}


def run(name="test", conclusion="SUCCESS", began="2026-02-03T11:30:00Z", **fields):
    return {"__typename": "CheckRun", "name": name, "workflowName": "ci", "status": "COMPLETED"} | {
        "conclusion": conclusion,
        "startedAt": began,
        **fields,
    }


def status(state):
    return {"__typename": "StatusContext", "context": "lint", "state": state, "startedAt": "2026-02-03T11:30:00Z"}


def read(tmp_path, *documents):
    paths = []
    for number, document in enumerate(documents):
        paths.append(tmp_path / f"{number}.json")
        paths[-1].write_text(json.dumps(document))
    return read_pull_requests(paths)


def one(tmp_path, *documents):
    found = read(tmp_path, *documents)
    assert found.problems == []
    (pull,) = found.pulls
    return pull


def test_the_fields_of_gh(tmp_path):
    pull = one(tmp_path, [GH])

    assert (pull.repository, pull.number, pull.head, pull.base, pull.is_fork) == ("ada/shop", 12, "fix", "main", False)
    assert pull.merged_at == datetime(2026, 2, 3, 12, tzinfo=UTC)
    assert (pull.merge_commit, pull.commits) == ("m" * 40, {"c" * 40})
    assert pull.authored == {datetime(2026, 2, 3, 11, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("checks", "verdict"),
    [
        ([run()], "green"),
        ([run(), run("b", "SKIPPED"), run("c", "NEUTRAL"), status("SUCCESS")], "green"),
        ([run(), run("b", "FAILURE")], "red"),
        ([status("ERROR")], "red"),
        ([run(conclusion="CANCELLED")], "red"),
        ([run(conclusion="", status="IN_PROGRESS")], "unfinished"),
        ([status("PENDING")], "unfinished"),
        ([run(conclusion="FAILURE"), run(began="2026-02-03T11:40:00Z")], "green"),
        ([run(began="2026-02-03T11:40:00Z", conclusion="FAILURE"), run()], "red"),
        ([run(), run(conclusion="FAILURE", workflowName="nightly")], "red"),
        ([], "none"),
        (None, "unknown"),
    ],
)
def test_checks(tmp_path, checks, verdict):
    assert one(tmp_path, [GH | {"statusCheckRollup": checks}]).checks == verdict


def test_the_fields_of_rest_with_checks_beside_them(tmp_path):
    runs = {"total_count": 1, "check_runs": [{"head_sha": "h" * 40, "name": "test", "conclusion": "success"}]}
    statuses = {"sha": "h" * 40, "state": "failure", "statuses": [{"context": "lint", "state": "failure"}]}

    assert one(tmp_path, [REST]).checks == "unknown"
    assert one(tmp_path, [REST], runs) == one(tmp_path, runs, [REST])
    assert one(tmp_path, [REST], runs).checks == "green"
    assert one(tmp_path, [REST], runs, statuses).checks == "red"
    assert one(tmp_path, [REST], runs).merge_commit == "m" * 40


def test_a_test_merge_of_one_that_was_never_merged_is_none(tmp_path):
    assert one(tmp_path, [REST | {"merged_at": None}]).merge_commit == ""


def test_forks(tmp_path):
    gone = REST | {"head": REST["head"] | {"repo": None}}

    assert one(tmp_path, [GH | {"isCrossRepository": True}]).is_fork
    assert one(tmp_path, [gone]).is_fork
    assert not one(tmp_path, [REST]).is_fork


def test_what_it_takes_back(tmp_path):
    assert one(tmp_path, [GH | {"body": "Reverts Ada/Shop#7\r\nReverts #8\nsee Reverts #9"}]).reverts == {7, 8}


def test_of_several_files_the_last_stands_and_lines_are_read_too(tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(GH | {"number": n, "url": ""}) + "\n" for n in (1, 2, 1)))

    assert [pull.number for pull in read_pull_requests([path]).pulls] == [1, 2]


@pytest.mark.parametrize("row", [{}, {"number": "12", "headRefName": "a"}, GH | {"mergedAt": "soon"}, {"number": True}])
def test_what_is_none_is_a_problem_with_its_place(tmp_path, row):
    found = read(tmp_path, [GH, row])

    assert len(found.pulls) == 1
    assert (found.problems[0].line, found.problems[0].reason[:18]) == (2, "not a pull request")


def test_sessions_say_what_they_made(tmp_path):
    made = {"type": "pr-link", "sessionId": "s1", "prNumber": 12, "prUrl": "https://github.com/Ada/Shop/pull/12"}
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "s1.jsonl").write_text(
        "\n".join(['{"type":"user"}', json.dumps(made), json.dumps(made), '"pr-link" {', '{"a": "pr-link"}'])
    )
    (tmp_path / "s2.jsonl").write_text(json.dumps({"type": "pr-link", "prNumber": 3, "prRepository": "Ada/Shop"}))

    found = [(link.session, link.repository, link.number) for link in read_session_links(tmp_path)]

    assert found == [("s1", "ada/shop", 12), ("s2", "ada/shop", 3)]


@pytest.mark.parametrize(
    ("name", "pull"),
    [
        ("12", ("", 12)),
        ("#12", ("", 12)),
        ("Ada/Shop#12", ("ada/shop", 12)),
        ("https://git.example/ada/shop/pull/12/files", ("ada/shop", 12)),
        ("fix-12", None),
        ("ada/shop12", None),
        ("ada/shop/12", None),
        ("9999999999", None),
    ],
)
def test_names(name, pull):
    assert parse_name(name) == pull
