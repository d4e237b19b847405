"""Replies that a real provider gave once, played back byte for byte: files of a folder that its user made."""

from pathlib import Path

from modicum.providers.event_stream import whole_events
from modicum.providers.facts import DialectError
from modicum.providers.mock.provider import JSON, MockReply

_KINDS = {".sse": "text/event-stream", ".json": JSON, ".jsonl": "application/x-ndjson"}


def recording(folder: Path | None, name: str) -> MockReply:
    """The reply that stands in a file of the folder: a stream (`.sse`), event by event, or a whole one (`.json`).

    Raises:
        DialectError: there is no such file, or no folder.
    """
    if folder is None:
        raise DialectError(400, "x-mock-replay needs a folder: modicum mock --recordings FOLDER")
    path = folder / name
    kind = _KINDS.get(path.suffix)
    if kind is None or Path(name).name != name or not path.is_file():
        known = ", ".join(sorted(one.name for one in folder.iterdir() if one.suffix in _KINDS)[:20])
        raise DialectError(400, f"x-mock-replay names no recording (.sse, .json, .jsonl); there are: {known or 'none'}")
    body = path.read_bytes()
    return MockReply(200, kind, tuple(whole_events(body)) if path.suffix == ".sse" else (body,))
