"""The container file beyond what hadolint asks for (scripts/package), and the unit of systemd as systemd says."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINES = re.sub(r"\\\n\s*", " ", (ROOT / "packaging" / "Dockerfile").read_text()).splitlines()
STEPS = [tuple(line.split(" ", 1)) for line in LINES if line and not line.startswith("#")]
TYPED = {
    "bash": (
        'source "$1"; read -ra COMP_WORDS <<<"$2"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _modicum_completion modicum; '
        'echo "${COMPREPLY[@]}"'
    ),
    "zsh": """
        zmodload zsh/zpty
        zpty shell "env TERM=dumb zsh -f -i"
        zpty -w shell "PROMPT=; autoload -Uz compinit; compinit -u -D; source $1"
        zpty -w -n shell "$2"$'\\t'
        zpty -r shell said "*$3 *"
        print -r -- "$said"
        zpty -d shell
    """,
    "fish": 'source $argv[1]; complete -C "$argv[2]"',
}
"""What loads a file of completions in a shell and asks for the rest of a line; zsh wants a terminal and the tab key."""


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


@pytest.mark.parametrize("shell", TYPED)
@pytest.mark.parametrize(
    ("line", "word"), [("modicum estim", "estimate"), ("modicum bill --fou", "--found"), ("modicum key rev", "revoke")]
)
def test_a_shell_completes_verbs_and_options(shell, line, word, tmp_path):
    """The files are made as `scripts/package` makes them; bash is everywhere, zsh and fish are tried where they are."""
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    environment = {
        "HOME": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "LANG": "C.UTF-8",
    }
    options = {"env": environment, "capture_output": True, "text": True, "stdin": subprocess.DEVNULL, "timeout": 60}
    source = environment | {"_MODICUM_COMPLETE": f"{shell}_source"}
    made = subprocess.run(["modicum"], check=True, **options | {"env": source})
    file = tmp_path / f"modicum.{shell}"
    file.write_text(made.stdout, encoding="utf-8")

    words = {"bash": ["--norc", "-c", TYPED[shell], "bash"], "zsh": ["-f", "-c", TYPED[shell], "zsh"]}
    begun = words.get(shell, ["--no-config", "-c", TYPED[shell]])
    said = subprocess.run([shell, *begun, file, line, word], check=True, **options).stdout

    assert word in re.split(r"[\s\t]+", said)
