"""`modicum outcome from-pull-requests`, from the command line into a ledger, and out again as a yield."""

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from modicum.calls import Basis, Call, Cost, Entry, Usage
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES

NOON = datetime.now(UTC).replace(microsecond=0) - timedelta(days=60)


@pytest.fixture
def repo(tmp_path):
    """A repository whose pull request 1 was merged, 2 reverted and 3 closed."""
    folder = tmp_path / "shop"
    folder.mkdir()
    ids = {}

    def git(*words, days=0.0):
        at = (NOON + timedelta(days=days)).isoformat()
        who = {
            "GIT_AUTHOR_NAME": "A",
            "GIT_AUTHOR_EMAIL": "a@e",
            "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@e",
        }
        env = os.environ | who | {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at, "GIT_CONFIG_GLOBAL": os.devnull}
        return subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, env=env).stdout.decode()

    git("init", "-q", "-b", "main")
    for number in (1, 2):
        git("commit", "-q", "--allow-empty", "-m", f"work (#{number})", days=number)
        ids[number] = git("rev-parse", "HEAD").strip()
    return folder, ids, git


def pulls(ids):
    def one(number, **fields):
        at = (NOON + timedelta(days=number)).isoformat()
        green = [{"__typename": "CheckRun", "name": "t", "status": "COMPLETED", "conclusion": "SUCCESS"}]
        return {
            "number": number,
            "url": f"https://github.com/ada/shop/pull/{number}",
            "headRefName": f"b{number}",
            "baseRefName": "main",
            "mergedAt": at,
            "closedAt": at,
            "mergeCommit": {"oid": ids.get(number, "")},
            "statusCheckRollup": green,
        } | fields

    return [one(1), one(2), one(3, mergedAt=None, mergeCommit=None), one(4, mergedAt=None, closedAt=None)]


def call(call_id, task, project, branch="", tags=None):
    made = Call(
        call_id=call_id,
        source="test",
        provider="anthropic",
        model="m",
        started=NOON,
        usage=Usage(1_000),
        task=task,
        project=str(project),
        branch=branch,
        tags=tags or {},
    )
    return Entry(made, Cost(Decimal("0.5"), Basis.EXACT))


@pytest.fixture
def ledger(tmp_path, repo):
    place = str(tmp_path / "ledger.duckdb")
    store = open_store(place)
    store.append(
        [
            call("c1", "s1", repo[0], "b1"),
            call("c2", "s2", repo[0], "b1"),
            call("c3", "s3", "", tags={"pull_request": "ada/shop#2"}),
            call("c4", "s4", repo[0], "main"),
        ]
    )
    store.close()
    return place


@pytest.fixture
def run(modicum, ledger, repo, tmp_path):
    folder, ids, _ = repo
    (tmp_path / "pulls.json").write_text(json.dumps(pulls(ids)))

    def run(*words):
        return modicum("outcome", "from-pull-requests", folder, tmp_path / "pulls.json", *words, "--ledger", ledger)

    return run


def outcomes(ledger):
    store = open_store(ledger)
    found = {(o.task, round(o.value, 3)) for o in store.records(OUTCOMES)}
    store.close()
    return found


def test_merged_green_and_not_reverted_is_an_outcome_and_a_late_revert_corrects_it(run, ledger, repo, modicum):
    first = run()

    assert first.status == 0
    assert "Rule: A pull request counts 1 if it was merged, all checks" in first.out
    assert "1 by tag or transcript, 1 by branch, 1 to no task of the ledger (#3)" in first.out
    assert outcomes(ledger) == {("s1", 0.5), ("s2", 0.5), ("s3", 1.0), ("pull_request/ada/shop#3", 0.0)}

    _, ids, git = repo
    git("commit", "-q", "--allow-empty", "-m", f"Revert\n\nThis reverts commit {ids[2]}.", days=5)
    again = run("--json").json

    assert again["pull_requests"] == {
        "kept": 1,
        "reverted": 1,
        "red": 0,
        "closed": 1,
        "young": 0,
        "open": 1,
        "unchecked": 0,
        "unfetched": 0,
    }
    assert outcomes(ledger) == {("s1", 0.5), ("s2", 0.5), ("s3", 0.0), ("pull_request/ada/shop#3", 0.0)}
    assert again["tasks_without_pull_request"] == 1
    shown = modicum("yield", "--outcome", "pull_requests_kept", "--json", "--ledger", ledger).json
    assert shown["cost_per_outcome_usd"]["value"] == 1.5  # three tasks at half a dollar for one that stayed
    assert shown["tasks_without_calls"] == 1


def test_a_dry_run_books_nothing(run, ledger):
    assert "would be booked" in run("--dry-run").out
    assert outcomes(ledger) == set()


def test_transcripts_say_which_session_made_one(run, ledger, tmp_path):
    (tmp_path / "logs").mkdir()
    made = {"type": "pr-link", "sessionId": "s4", "prNumber": 1, "prRepository": "ada/shop"}
    (tmp_path / "logs" / "s4.jsonl").write_text(json.dumps(made))

    assert run("--sessions", tmp_path / "logs", "--json").json["joined_by_name"] == 2
    assert {("s1", 0.333), ("s2", 0.333), ("s4", 0.333)} <= outcomes(ledger)


@pytest.mark.parametrize("content", ["", "[]", "{}", '[{"title": "x"}]', "number,title\n1,x\n"])
def test_a_file_without_any_says_which_fields_are_needed(modicum, repo, tmp_path, content, ledger):
    (tmp_path / "p.json").write_text(content)
    ran = modicum("outcome", "from-pull-requests", repo[0], tmp_path / "p.json", "--ledger", ledger)

    assert ran.status == 2
    assert "gh pr list --json number,url" in ran.err


def test_several_repositories_are_not_mixed(modicum, repo, tmp_path, ledger):
    rows = pulls(repo[1])
    rows[0]["url"] = "https://github.com/bob/other/pull/1"
    (tmp_path / "p.json").write_text(json.dumps(rows))

    assert "ada/shop, bob/other; give one at a time" in (
        modicum("outcome", "from-pull-requests", repo[0], tmp_path / "p.json", "--ledger", ledger).err
    )


def test_a_file_or_folder_that_is_not_there(modicum, repo, tmp_path, ledger):
    assert "there is no file" in modicum("outcome", "from-pull-requests", repo[0], tmp_path / "no.json").err
