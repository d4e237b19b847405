"""OpenCode's SQLite database: sessions, messages and parts, each a row with its JSON in `data`.

The database is opened for reading only, and may be in use.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import Anatomy, Problem, Segment, SegmentKind
from modicum.context.growing import Context
from modicum.importers.agents.opencode_messages import MOST_PARENTS, NAME, call_of
from modicum.importers.format import Found, Reading
from modicum.importers.sqlite_files import columns_of, has_tables, opened
from modicum.providers.blocks import Block, picture, tool_call, tool_result
from modicum.providers.fields import mapping, text
from modicum.providers.json_values import decoded

TABLES = {"session": {"id"}, "message": {"id", "session_id", "data"}, "part": {"message_id", "data"}}
MESSAGES = "SELECT id, session_id, data FROM message ORDER BY session_id, id"
PARTS = "SELECT data FROM part WHERE message_id = ? ORDER BY id"
Message = Mapping[str, Any]


def is_opencode(path: Path) -> bool:
    """Whether a database has OpenCode's tables."""
    return has_tables(path, TABLES)


def read_database(path: Path, reading: Reading) -> Found:
    try:
        with opened(path) as (database, lacks):
            if lacks:
                yield Problem(str(path), lacks)
            roots = _roots(database)
            talk = _Talk(database, reading)
            for name, session, data in database.execute(MESSAGES):
                yield from _message(path, (name, session, data), roots, talk)
            talk.end()
    except sqlite3.Error as error:
        yield Problem(str(path), f"cannot be read as a database of {NAME}: {error}")
    except UnicodeDecodeError:
        yield Problem(str(path), f"cannot be read as a database of {NAME}: a name in its schema is no text")


def _roots(database: sqlite3.Connection) -> dict[str, str]:
    """The session at the root of each."""
    if "parent_id" not in columns_of(database, "session"):
        return {}
    parents = {str(name): text(parent) for name, parent in database.execute("SELECT id, parent_id FROM session")}
    roots = {}
    for session in parents:
        root = session
        for _ in range(MOST_PARENTS):
            root = parents.get(root) or root
        roots[session] = root
    return roots


def _message(path: Path, row: tuple[Any, Any, Any], roots: dict[str, str], talk: "_Talk") -> Found:
    name, session = str(row[0]), str(row[1])
    try:
        data = decoded(row[2] if isinstance(row[2], str | bytes) else "")
        if not isinstance(data, dict):
            raise ValueError("it is no JSON object")  # noqa: TRY004, TRY301 - bad data, not a bad program
        message = {**data, "id": name, "sessionID": session}
        call = call_of(message, roots.get(session, session))
        model = call.model if call else ""
        anatomy = talk.takes(message, model, call.usage.prompt_tokens if call else 0)
    except json.JSONDecodeError as error:
        yield Problem(str(path), f"message {name} is not valid JSON: {error.msg}")
    except (ValueError, TypeError, RecursionError) as error:
        yield Problem(str(path), f"message {name} not counted: {error}")
    else:
        if call:
            yield msgspec.structs.replace(call, anatomy=anatomy)


class _Talk:
    """The context of one session after the other, if anatomy is asked for."""

    def __init__(self, database: sqlite3.Connection, reading: Reading) -> None:
        self._database = database
        self._reading = reading
        self._segmenter = reading.segmenter()
        self._context = Context()
        self._session = ""
        self._waiting: list[Block] = []
        self._model = ""
        self._answered = ""

    def takes(self, message: Message, model: str, prompt_tokens: int) -> Anatomy | None:
        """The anatomy of the call that a message is; the message itself comes after it in the context."""
        if not self._reading.anatomy:
            return None
        if message["sessionID"] != self._session:
            self.end()
            self._session, self._context, self._waiting = message["sessionID"], Context(), []
        anatomy = None
        if model:
            self._model = model
            self._context.grow(self._measured())
            self._answered = f"{NAME}:{message['id']}"
            anatomy = self._context.sent(prompt_tokens)
        blocks = list(self._blocks(message))
        if message.get("summary") is True and message.get("role") == "assistant":
            self._context.cut(0, "compaction")
            blocks = [block._replace(kind=SegmentKind.SUMMARY) for block in blocks]
        self._waiting += blocks
        return anatomy

    def end(self) -> None:
        """The last reply of a session stands in no context, but it is listened to."""
        self._measured()

    def _measured(self) -> list[Segment]:
        segments = self._segmenter.segments(self._waiting, self._model)
        self._reading.listener.on_reply(self._answered, segments)
        self._waiting = []
        return segments

    def _blocks(self, message: Message) -> Iterator[Block]:
        is_reply = message.get("role") == "assistant"
        for (data,) in self._database.execute(PARTS, (message["id"],)).fetchall():
            part = mapping(decoded(data if isinstance(data, str | bytes) else ""))
            kind, part_text = part.get("type"), text(part.get("text"))
            if kind == "text" and part.get("ignored") is not True:
                yield Block(SegmentKind.ASSISTANT if is_reply else SegmentKind.USER, part_text)
            elif kind == "reasoning":
                yield Block(SegmentKind.REASONING, part_text)
            elif kind == "file":
                is_image = text(part.get("mime")).startswith("image/")
                yield picture(SegmentKind.IMAGE if is_image else SegmentKind.DOCUMENT, part)
            elif kind == "tool":
                yield from _tool(part)


def _tool(part: Mapping[str, Any]) -> Iterator[Block]:
    state, call = mapping(part.get("state")), part.get("callID")
    yield tool_call(part.get("tool"), state.get("input"), call)
    if text(state.get("status")) in {"completed", "error"}:
        failed = state.get("status") == "error"
        yield tool_result(state.get("error" if failed else "output"), call, tool=part.get("tool"), is_error=failed)
