"""Programs that are measured beside ours, each installed once into the user's cache folder, never into the project."""

import shutil
import subprocess
import sys
from pathlib import Path

import platformdirs

FOLDER = Path(platformdirs.user_cache_dir("modicum-benchmarks", appauthor=False))


def ccusage() -> Path:
    """The ccusage command (npm: ccusage with its native part for this platform)."""
    found = shutil.which("ccusage")
    if found:
        return Path(found)
    folder = FOLDER / "ccusage"
    command = folder / "node_modules" / ".bin" / "ccusage"
    if not command.exists():
        if shutil.which("npm") is None:
            sys.exit("this benchmark measures beside ccusage and needs npm to install it")
        folder.mkdir(parents=True, exist_ok=True)
        packages = ["ccusage@20", "@ccusage/ccusage-linux-x64"]
        subprocess.run(["npm", "install", "--silent", "--no-fund", *packages], cwd=folder, check=True)
    return command
