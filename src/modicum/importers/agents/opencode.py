"""OpenCode: `~/.local/share/opencode/opencode*.db` (SQLite), and the JSON files of older versions below `storage/`.

Each reply is one message with its tokens; its parts (text, reasoning, tool calls with their results) lie beside it. In
the database all messages of a session are there, and calls carry their anatomy; the JSON files hold one message each
and give calls alone. Traps, each with a fixture:

- `tokens.input` excludes what was read from and written to the cache, whoever served the call.
- `tokens.output` includes reasoning in older versions and excludes it in newer ones. Where `total` does not tell which,
  the smaller reading stands as a lower bound.
- `cost` is 0 for subscriptions and unknown models: 0 is no cost that anybody knows.
- An agent's session has a `parentID`; the task is the session at the root.
- A reply without tokens that was aborted may still be billed: its counts are unknown. Others are no calls.
"""

from collections.abc import Mapping
from pathlib import Path

from modicum.calls import Problem
from modicum.calls.outside.regular_file import open_regular
from modicum.importers.agents.opencode_database import is_opencode, read_database
from modicum.importers.agents.opencode_messages import NAME, call_of, root_session
from modicum.importers.files import document
from modicum.importers.format import Found, LogFormat, Reading
from modicum.providers.fields import mapping, text

SQLITE = b"SQLite format 3\x00"


def read(path: Path, reading: Reading) -> Found:
    if is_database(path):
        yield from read_database(path, reading)
        return
    found = document(path)
    if isinstance(found, Problem):
        yield found
        return
    message = mapping(found)
    try:
        call = call_of(message, root_session(path, text(message.get("sessionID"))))
    except ValueError as error:
        yield Problem(str(path), f"not counted: {error}")
    else:
        if call:
            yield call


def is_database(path: Path) -> bool:
    try:
        with open_regular(path) as stream:
            return stream.read(len(SQLITE)) == SQLITE
    except OSError:
        return False


def recognises(path: Path, head: bytes) -> bool:
    """A database with OpenCode's tables, or one of its JSON files; those that are no messages hold no calls."""
    if head.startswith(SQLITE):
        return is_opencode(path)
    start = head.lstrip()[:2048]
    if not start.startswith(b"{"):
        return False
    is_message = b'"sessionID"' in start and (b'"msg_' in start or b'"messageID"' in start)
    is_session = b'"ses_' in start and b'"projectID"' in start
    return is_message or is_session


def places(home: Path, environment: Mapping[str, str]) -> list[Path]:
    """The databases, and the older messages (their parts and sessions beside them hold no calls); and Kilo Code's."""
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    kilo = Path(environment.get("KILO_DATA_DIR") or data / "kilo") / "kilo.db"
    return [*sorted((data / "opencode").glob("opencode*.db")), data / "opencode" / "storage" / "message", kilo]


FORMAT = LogFormat(
    name=NAME,
    title="OpenCode sessions (database and JSON files)",
    recognises=recognises,
    read=read,
    places=places,
    checked_against="documentation",
    lines=False,
)
