"""From an empty home to the first bill in one command: the built wheel by uv, beside ccusage by npx, cold and warm."""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from measured import machine, median, report

ROOT = Path(__file__).parents[1]
ROUNDS = 3
PEER = ["--package", "ccusage@20", "--package", "@ccusage/ccusage-linux-x64", "ccusage", "daily", "--offline"]
"""With its native part by name: npm leaves it out where it is only optional and the platform is not told."""
IMPORTS = 9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, help="default: the one in dist/ (scripts/package builds it)")
    parser.add_argument("--data", type=Path, default=ROOT / "src/modicum/sample/logs", help="Claude Code transcripts")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    wheel = options.wheel or max((ROOT / "dist").glob("*.whl"), key=lambda one: one.stat().st_mtime, default=None)
    if wheel is None:
        sys.exit("there is no wheel in dist/: 'scripts/package' builds one")
    for program in ("uv", "npx"):
        if shutil.which(program) is None:
            sys.exit(f"this benchmark needs {program} on the PATH")
    report(measure(wheel.resolve(), options.data, options.rounds), as_json=options.json)


@contextmanager
def empty_home(logs: Path) -> Iterator[Path]:
    """A home with transcripts and nothing else, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="modicum-install-") as name:
        home = Path(name)
        shutil.copytree(logs, home / ".claude" / "projects" / "p")
        yield home


def environment_of(home: Path, uv_cache: Path, npm_cache: Path) -> dict[str, str]:
    folders = {f"XDG_{name}_HOME": str(home / f".{name.lower()}") for name in ("DATA", "CONFIG", "CACHE", "STATE")}
    tools = {"UV_CACHE_DIR": str(uv_cache), "UV_NO_CONFIG": "1", "UV_PYTHON": sys.executable, "UV_LINK_MODE": "copy"}
    return {**os.environ, "HOME": str(home), "npm_config_cache": str(npm_cache), **folders, **tools}


def seconds(command: list[object], environment: Mapping[str, str]) -> float:
    """Wall seconds of a command that has to succeed."""
    return wall_and_cpu(command, environment)[0]


def wall_and_cpu(command: list[object], environment: Mapping[str, str]) -> tuple[float, float]:
    """Wall seconds, and seconds of CPU with those of all that it started, of a command that has to succeed."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(
        [str(word) for word in command], env=dict(environment), capture_output=True, text=True, check=False
    )
    if ended.returncode:
        sys.exit(f"{command[0]} ended with {ended.returncode}: {ended.stderr[-2000:]}")
    wall_s, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def megabytes(folder: Path) -> float:
    return sum(one.lstat().st_size for one in folder.rglob("*") if one.is_file() and not one.is_symlink()) / 1e6


def measure(wheel: Path, logs: Path, rounds: int) -> dict[str, object]:
    ours = ["uv", "tool", "run", "--from", wheel, "modicum", "bill", "--found"]
    theirs = ["npx", "--yes", *PEER]
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        with empty_home(logs) as caches:
            uv_cache, npm_cache = caches / "uv", caches / "npm"
            for state in ("cold", "warm"):  # warm: a new home, and what was downloaded before
                with empty_home(logs) as home:
                    environment = environment_of(home, uv_cache, npm_cache)
                    found.setdefault(f"modicum_{state}_s", []).append(seconds(ours, environment))
                    found.setdefault(f"ccusage_{state}_s", []).append(seconds(theirs, environment))
                    if state == "warm":  # the same home again: nothing is left to install
                        for name, command in (("modicum", ours), ("ccusage", theirs)):
                            wall_s, cpu_s = wall_and_cpu(command, environment)
                            found.setdefault(f"{name}_again_s", []).append(wall_s)
                            found.setdefault(f"{name}_again_cpu_s", []).append(cpu_s)
            found.setdefault("ccusage_cache_mb", []).append(megabytes(npm_cache))
    ratios = {
        f"{state}_ratio_ccusage": median(
            [one / other for one, other in zip(found[f"modicum_{state}_s"], found[f"ccusage_{state}_s"], strict=True)]
        )
        for state in ("cold", "warm", "again", "again_cpu")
    }
    medians = {name: median(values) for name, values in found.items()}
    return {**medians, **ratios, **_plain_install(wheel, logs), "rounds": rounds, "machine": machine()}


def _plain_install(wheel: Path, logs: Path) -> dict[str, object]:
    """What `uv tool install` downloads and leaves on disk, and how long `import modicum` takes there."""
    with empty_home(logs) as home:
        environment = environment_of(home, home / "uv", home / "npm")
        wheels = home / "wheels"
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:", "--dest", wheels, wheel]
        seconds(pip, environment)
        installed = seconds(["uv", "tool", "install", wheel], environment)
        tool = home / ".data" / "uv" / "tools" / "modicum"
        python = tool / "bin" / "python"
        on_disk = megabytes(tool)
        seconds([python, "-m", "compileall", "-q", tool / "lib"], environment)
        imports = [seconds([python, "-c", "import modicum"], environment) for _ in range(IMPORTS)]
        bare = [seconds([python, "-c", "pass"], environment) for _ in range(IMPORTS)]
        return {
            "tool_install_cold_s": installed,
            "download_mb": megabytes(wheels),
            "wheel_mb": wheel.stat().st_size / 1e6,
            "packages": len(list(wheels.glob("*.whl"))),
            "disk_mb": on_disk,
            "disk_with_byte_code_mb": megabytes(tool),
            "import_modicum_s": max(0.0, median(imports) - median(bare)),
        }


if __name__ == "__main__":
    main()
