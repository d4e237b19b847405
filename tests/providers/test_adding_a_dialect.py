"""Adding a dialect is adding a folder and its entry in `providers/dialects.py`: nothing else names any."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import modicum
from modicum.providers.dialects import DIALECTS

SOURCE = Path(modicum.__file__).parent
TESTS = Path(__file__).parent.parent
REGISTRY = "providers/dialects.py"


def folder(name):
    return name.replace("-", "_")


def strangers(path):
    """Dialects that a file names, or imports from, though it is not theirs."""
    place, text = path.relative_to(SOURCE), path.read_text("utf-8")
    if str(place) == REGISTRY or place.parts[:2] == ("providers", "translation"):  # pairs are about two
        return set()
    found = {name for name in DIALECTS if re.search(rf"(?<![\w-]){name}(?![\w-])", text)}
    if place.parts[0] != "importers":  # logs are in one dialect or another, and use its readers
        found |= {name for name in DIALECTS if re.search(rf"providers[. ]+(import )?{folder(name)}\b", text)}
    return {name for name in found if place.parts[:2] != ("providers", folder(name))}


def test_a_dialect_is_named_in_its_own_folder_alone():
    files = {str(path.relative_to(SOURCE)): strangers(path) for path in SOURCE.rglob("*.py")}
    assert len(files) > 300
    assert {name: found for name, found in files.items() if found} == {}


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """The program with one folder more and one entry more in the registry, running."""
    root = tmp_path_factory.mktemp("with_toy")
    shutil.copytree(SOURCE, root / "modicum", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(Path(__file__).parent / "toy" / "toy_talk", root / "modicum/providers/toy_talk")
    registry = root / "modicum" / REGISTRY
    text = registry.read_text("utf-8")
    text = text.replace(
        "from modicum", "from modicum.providers.toy_talk.dialect import DIALECT as TOY\nfrom modicum", 1
    )
    registry.write_text(text.replace("        OPENAI_CHAT,\n", "        OPENAI_CHAT,\n        TOY,\n"), "utf-8")
    path = os.pathsep.join([str(root), str(TESTS)])
    (root / "state").mkdir()
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "toy" / "served.py"), str(root / "state")],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_a_new_dialect_is_served_by_path_and_by_the_mock_provider(toy):
    replies = toy["replies"]
    status, kind, body = replies["whole"]
    assert (status, kind, json.loads(body)["says"]) == (200, "application/json", "a b c")
    status, kind, body = replies["stream"]
    events = [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: ")]
    assert (status, kind) == (200, "text/event-stream")
    assert "".join(event.get("says", "") for event in events) == "a b c"
    assert events[-1]["tokens"] == {"in": 4, "out": 3}
    assert json.loads(replies["count"][2]) == {"input_tokens": 4}


def test_a_new_dialect_is_metered(toy):
    whole, stream, broken, refused = toy["calls"]
    assert [call["tokens"] for call in (whole, stream)] == [[4, 3], [4, 3]]
    assert {call["usage_basis"] for call in (whole, stream)} == {"exact"}
    assert {call["provider"] for call in toy["calls"]} == {"mistral"}
    assert (broken["status"], broken["usage_basis"]) == ("aborted", "estimated")
    assert broken["tokens"][1] > 0
    assert (refused["status"], refused["tokens"]) == ("error", [0, 0])


def test_errors_are_in_the_words_of_a_new_dialect(toy):
    replies = toy["replies"]
    assert (replies["overloaded"][0], json.loads(replies["overloaded"][2])["oops"]) == (599, "overloaded")
    assert json.loads(replies["no model"][2])["oops"] == "model_missing"
    assert (replies["no path"][0], json.loads(replies["no path"][2])["oops"]) == (404, "unknown_path")
    last = replies["broken"][2].rstrip().splitlines()[-1]
    assert json.loads(last.removeprefix("data: "))["oops"] == "upstream_broke_off"
