"""Locks install the same in a year: newer versions of everything lie in the folder that stands for the index.

The wheels are written here, and nothing is asked of any network.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
INSTALL_LOCK = ROOT / "scripts" / "install-lock"


def wheel(folder, name, version, *requires, extras=()):
    """A wheel with one module that knows its version. Returns its hash."""
    about = f"{name}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += [f"Provides-Extra: {extra}" for extra in extras] + [f"Requires-Dist: {one}" for one in requires]
    files = {
        f"{name}.py": f"VERSION = '{version}'\n",
        f"{about}/METADATA": "\n".join(metadata) + "\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},{len(text)}"
        for path, text in files.items()
    ]
    files[f"{about}/RECORD"] = "\n".join([*record, f"{about}/RECORD,,", ""])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as packed:
        for inner, text in files.items():
            packed.writestr(inner, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def offered(tmp_path):
    """What the index offers a year later, and the lock of today: `client` needs `auth[requests]`, as google-genai."""
    folder = tmp_path / "offered"
    folder.mkdir()
    locked = {
        "client": wheel(folder, "client", "1.0", "auth[requests]>=1.0", "leaf"),
        "auth": wheel(folder, "auth", "1.0", "transport>=1.0; extra == 'requests'", extras=["requests"]),
        "transport": wheel(folder, "transport", "1.0"),
        "leaf": wheel(folder, "leaf", "1.0"),
    }
    wheel(folder, "client", "2.0", "auth[requests]>=2.0", "leaf", "more")
    wheel(folder, "auth", "1.1", "transport>=2.0; extra == 'requests'", extras=["requests"])
    wheel(folder, "auth", "2.0", "transport>=2.0; extra == 'requests'", extras=["requests"])
    wheel(folder, "transport", "2.0")
    wheel(folder, "leaf", "3.0")
    wheel(folder, "more", "1.0")
    return folder, locked


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A virtual environment that holds the pip of this one: installing pip takes longer than copying it."""
    made = tmp_path_factory.mktemp("empty") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made], check=True)
    (packages,) = made.glob("lib/python3*/site-packages")
    for folder in Path(sysconfig.get_path("purelib")).glob("pip*"):
        shutil.copytree(folder, packages / folder.name)
    return made


@pytest.fixture
def offline(offered, tmp_path, monkeypatch):
    """The environment of a pip that knows this folder alone."""
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(offered[0]))
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return tmp_path / "venv"


def lock_of(path, packages):
    path.write_text("".join(f"{name}==1.0 --hash=sha256:{digest}\n" for name, digest in packages.items()))
    return path


def install(*words):
    return subprocess.run([INSTALL_LOCK, *words], capture_output=True, text=True, check=False)


def versions(venv):
    asked = "import auth, client, leaf, transport; print(client.VERSION, auth.VERSION, transport.VERSION, leaf.VERSION)"
    return subprocess.run([venv / "bin/python", "-c", asked], capture_output=True, text=True, check=True).stdout.split()


def test_a_lock_installs_what_it_says_though_newer_versions_are_offered(offered, offline, tmp_path):
    folder, locked = offered
    lock = lock_of(tmp_path / "all.lock", locked)

    ran = install(offline, lock)

    assert (ran.returncode, ran.stderr) == (0, f"installing into {offline} (once) ...\n")
    assert versions(offline) == ["1.0", "1.0", "1.0", "1.0"]
    for gone in folder.iterdir():
        gone.unlink()
    again = install(offline, lock)
    assert (again.returncode, again.stderr) == (0, ""), "the second call does nothing"


@pytest.mark.skipif(int(version("pip").split(".")[0]) >= 24, reason="mended in a pip between 23.2 and 24.2")
def test_without_no_deps_the_same_lock_fails_there(offered, offline, empty, tmp_path):
    """What `install-lock` is for: --no-deps may go once no Python that modicum allows brings an older pip."""
    lock = lock_of(tmp_path / "all.lock", offered[1])
    shutil.copytree(empty, offline, symlinks=True)

    ran = subprocess.run(
        [offline / "bin/python", "-m", "pip", "install", "--require-hashes", "--requirement", lock],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode != 0
    assert "auth[requests]" in ran.stderr


@pytest.mark.parametrize("forgotten", ["leaf", "transport"])
def test_a_lock_that_forgot_a_package_is_refused(offered, offline, empty, tmp_path, forgotten):
    """Also one that only an extra wants, of which `pip check` knows nothing."""
    shutil.copytree(empty, offline, symlinks=True)
    lock = lock_of(tmp_path / "short.lock", {name: digest for name, digest in offered[1].items() if name != forgotten})

    for _ in range(2):
        ran = install(offline, lock)

        assert ran.returncode == 1
        assert forgotten in ran.stderr
        assert f"{lock} is not complete; write it anew with scripts/lock" in ran.stderr


def test_a_file_that_is_another_than_the_locked_one_is_refused(offered, offline, empty, tmp_path):
    shutil.copytree(empty, offline, symlinks=True)
    folder, locked = offered
    lock = lock_of(tmp_path / "all.lock", locked)
    wheel(folder, "leaf", "1.0", "more")

    ran = install(offline, lock)

    assert ran.returncode != 0
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in ran.stderr


def test_nothing_is_built_from_source_since_its_tools_would_not_be_locked(offered, offline, empty, tmp_path):
    shutil.copytree(empty, offline, symlinks=True)
    folder, locked = offered
    (folder / "leaf-1.0-py3-none-any.whl").unlink()
    (folder / "leaf-1.0.tar.gz").write_bytes(b"")

    ran = install(offline, lock_of(tmp_path / "all.lock", locked))

    assert ran.returncode != 0
    assert "leaf" in ran.stderr


@pytest.mark.parametrize(
    "name",
    [
        "requirements",
        "requirements-dev",
        "requirements-frameworks",
        "requirements-crewai",
        "requirements-claude-tokens",
    ],
)
def test_the_locks_hold_what_builds_the_project(name):
    """`install-lock VENV LOCK .` builds with the tools of the lock, and asks nobody for others."""
    text = (ROOT / f"{name}.lock").read_text()

    for tool in ("hatchling", "editables", "packaging", "pathspec", "pluggy", "trove-classifiers"):
        assert f"\n{tool}==" in text


@pytest.mark.parametrize("script", ["install", "test-frameworks", "memory-env", "claude-tokens-env", "focus-env"])
def test_every_environment_is_made_by_install_lock(script):
    text = (ROOT / "scripts" / script).read_text()

    assert "scripts/install-lock " in text
    assert "--require-hashes" not in text
