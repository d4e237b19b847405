"""Claude Code's transcripts as a log format: how they are recognised, where they lie, and who reads them."""

from collections.abc import Mapping
from pathlib import Path

from modicum.importers.claude_code.usage import NAME, read_usage
from modicum.importers.format import Found, LogFormat, Reading


def read(path: Path, reading: Reading) -> Found:
    if not reading.anatomy:
        yield from read_usage(path)
        return
    from modicum.importers.claude_code import context  # what a bill does not need, and is a tenth of its start

    yield from context.read(path, reading)


def recognises(path: Path, head: bytes) -> bool:
    """Rows with a session and one of Claude Code's row types, or a bare snapshot or summary row that opens a file."""
    del path
    for line in head.split(b"\n", 20)[:20]:
        if not line.startswith(b"{"):
            continue
        if b'"sessionId"' in line and (b'"parentUuid"' in line or b'"type":"queue-operation"' in line):
            return True
        if b'"leafUuid"' in line or b'"file-history-snapshot"' in line:
            return True
        if b'"message":{' in line and b'"cache_read_input_tokens"' in line and b'"requestId"' in line:
            return True  # version 1 wrote no parents
    return b'"sessionId"' in head and b'"parentUuid"' in head and head.startswith(b"{")


TASKS = ("*/*/local_*/.claude/projects", "*/*/*/local_*/.claude/projects")
"""The folder of each task below Claude Desktop's sessions. Tasks hold files of all kinds: no deep search."""


def places(home: Path, environment: Mapping[str, str]) -> list[Path]:
    """`CLAUDE_CONFIG_DIR` (a comma list) stands above the two usual folders; Claude Desktop's are found besides.

    Each task of its Cowork mode is run with a folder of its own. The `audit.jsonl` beside it repeats the same calls.
    """
    sessions = _desktop(home, environment)
    desktop = [found for folder in sessions for tasks in TASKS for found in sorted(folder.glob(tasks))]
    if chosen := environment.get("CLAUDE_CONFIG_DIR"):
        return [*(Path(folder.strip(), "projects") for folder in chosen.split(",") if folder.strip()), *desktop]
    return [home / ".config" / "claude" / "projects", home / ".claude" / "projects", *desktop]


def _desktop(home: Path, environment: Mapping[str, str]) -> list[Path]:
    """Where Claude Desktop keeps its data, by operating system; on Windows also as a packaged app."""
    local = Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
    folders = [
        home / "Library" / "Application Support" / "Claude",
        home / ".config" / "Claude",
        Path(environment.get("APPDATA") or home / "AppData" / "Roaming") / "Claude",
        *sorted((local / "Packages").glob("Claude_*/LocalCache/Roaming/Claude")),
    ]
    return [folder / "local-agent-mode-sessions" for folder in folders]


FORMAT = LogFormat(
    name=NAME,
    title="Claude Code transcripts",
    recognises=recognises,
    read=read,
    places=places,
    checked_against="real exports",
)
