"""The container file beyond what hadolint asks for (scripts/package), and the unit of systemd as systemd says."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINES = re.sub(r"\\\n\s*", " ", (ROOT / "packaging" / "Dockerfile").read_text()).splitlines()
STEPS = [tuple(line.split(" ", 1)) for line in LINES if line and not line.startswith("#")]


def of(step):
    return [words for name, words in STEPS if name == step]


def test_the_image_is_small_pinned_and_nobodys():
    assert all(re.fullmatch(r"python:\d+\.\d+-slim( AS \w+)?", base) for base in of("FROM"))
    assert of("USER") == ["10001"]
    assert [name for name, _ in STEPS].index("USER") < [name for name, _ in STEPS].index("ENTRYPOINT")
    assert of("ADD") == []
    assert not any("sudo" in words or "apt-get" in words or "curl" in words for words in of("RUN"))


def test_what_is_installed_comes_from_the_lock_and_leaves_no_cache():
    installs = [part for words in of("RUN") for part in words.split("&&") if "pip install" in part]

    assert all("--no-cache-dir" in part and "--no-deps" in part for part in installs)
    assert any("--require-hashes" in part and "--only-binary :all:" in part for part in installs)


def test_what_it_starts_gets_signals_itself():
    for step in ("ENTRYPOINT", "CMD"):
        assert all(isinstance(json.loads(words), list) for words in of(step))
    assert all("CMD [" in words for words in of("HEALTHCHECK"))


def test_all_that_it_copies_is_there():
    files = [name for words in of("COPY") if not words.startswith("--from") for name in words.split()[:-1]]

    assert [name for name in files if not (ROOT / name).exists()] == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_knows_every_word_of_the_unit():
    words = ["systemd-analyze", "verify", "--man=no", ROOT / "packaging" / "modicum.service"]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_site_is_built_and_read_without_a_network():
    """`scripts/docs` holds every page to it. `offline` adds a script from elsewhere; `privacy` and `social` fetch."""
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")

    assert re.findall(r"^plugins: \[(.*)\]", settings, re.MULTILINE) == ["search"]
    assert "\n  font: false\n" in settings
    assert re.findall(r"^extra_(?:css|javascript)", settings, re.MULTILINE) == []
    assert "://" not in settings


@pytest.mark.parametrize("script", ["docs", "package", "memory-check", "test", "test-browser"])
def test_the_build_server_runs_what_everybody_runs(script):
    assert f'"$here/scripts/{script}"' in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
