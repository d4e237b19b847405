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


def litellm() -> list[str]:
    """The command of LiteLLM's proxy, the newest that resolves, in a venv of its own (700 MB)."""
    folder = FOLDER / "litellm"
    command = folder / "bin" / "litellm"
    if not command.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", "litellm[proxy]"], check=True)
    return [str(command)]


def portkey() -> list[str]:
    """The command of Portkey's gateway (npm)."""
    if shutil.which("npm") is None:
        sys.exit("this benchmark measures beside Portkey's gateway and needs npm to install it")
    folder = FOLDER / "portkey"
    script = folder / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    if not script.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--no-fund", "@portkey-ai/gateway"], cwd=folder, check=True)
    return ["node", str(script)]


def headroom() -> Path:
    """The folder that headroom's package and what it needs were installed into (475 MB)."""
    folder = FOLDER / "headroom"
    if not (folder / "headroom").is_dir():
        packages = ["headroom-ai==0.42.0"]
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, *packages], check=True)
    return folder
