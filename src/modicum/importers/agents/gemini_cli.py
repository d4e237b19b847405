"""Gemini CLI chats: `~/.gemini/tmp/<project>/chats/session-*.json`, and `.jsonl` in newer versions.

Older versions write one document that holds all messages; newer ones append a row per message, and rows that set,
patch or take back what was written before. Traps, each with a fixture:

- `input` includes `cached`; `thoughts` are billed as output and stand beside `output`; `tool` is input beside `input`.
- A message is written again, with the same id, when its tool calls or its counts are known: the last one stands.
- A rewind takes messages out of the conversation, but their calls were made and are counted.
- A reply whose counts are all 0 is the rest of the reply before it (a notice came between them): no call. A reply
  without counts cannot be told from a summary that the CLI wrote itself: it is not counted, and reported.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from modicum.calls import Anatomy, Call, Charges, Problem, SegmentKind, Usage
from modicum.calls.usage import checked_count, is_counted
from modicum.calls.words.counted_nouns import number_of
from modicum.context.growing import Context
from modicum.importers.files import records
from modicum.importers.format import Found, LogFormat, Reading
from modicum.providers.blocks import Block, as_list, plain, tool_call, tool_result
from modicum.providers.fields import listed, mapping, moment, text
from modicum.providers.gemini_generate.usage import buckets
from modicum.providers.message_blocks import parts_blocks
from modicum.providers.usage_guard import KnownFields, unknown_numbers

NAME = "gemini-cli"
KNOWN: KnownFields = {
    **dict.fromkeys(("input", "cached", "tool", "output", "thoughts"), "priced"),
    "total": "the sum",
}
"""What is done with every number of a reply's tokens."""
Message = Mapping[str, Any]


class Thread:
    """The chat that a file holds, and the session that it was part of: agents' chats lie in a folder of its name."""

    def __init__(self, session: str, path: Path) -> None:
        self.session = session
        self.task = path.parent.name if path.parent.parent.name == "chats" else session


class Chat:
    """The messages of one file: those that were sent at some time, and those that are still part of the chat."""

    def __init__(self) -> None:
        self.meta: dict[str, Any] = {}
        self.messages: dict[str, Message] = {}
        self.places: dict[str, int] = {}
        self.rewinds: dict[str, str] = {}
        """Message id -> the first message that a rewind before it took back."""
        self._rewound = ""

    def add(self, message: Message, number: int) -> None:
        if not (name := text(message.get("id"))):
            return
        if name not in self.messages:
            self.places[name] = number
            if self._rewound:
                self.rewinds[name], self._rewound = self._rewound, ""
        self.messages[name] = {**self.messages.get(name, {}), **message}

    def take(self, record: Mapping[str, Any], number: int) -> None:
        """One row of a `.jsonl`, or a whole document."""
        if target := text(record.get("$rewindTo")):
            self._rewound = target
        for changed in (mapping(record.get("$set")), record if "sessionId" in record else {}):
            self.meta.update({name: value for name, value in changed.items() if name != "messages"})
            for message in listed(changed.get("messages")):
                self.add(mapping(message), number)
        patch = mapping(record.get("$patch"))
        for update in (patch, *listed(patch.get("updates"))):
            name = text(mapping(update).get("id"))
            if name in self.messages and "content" in mapping(update):
                self.messages[name] = {**self.messages[name], "content": mapping(update)["content"]}
        if "id" in record and "type" in record:
            self.add(record, number)


def read(path: Path, reading: Reading) -> Found:
    chat = Chat()
    for found in records(path):
        if isinstance(found, Problem):
            yield found
        else:
            chat.take(found[1], found[0] or 0)
    session = text(chat.meta.get("sessionId")) or path.name.split(".")[0]
    yield from _calls(path, reading, chat, Thread(session, path))


def _calls(path: Path, reading: Reading, chat: Chat, thread: Thread) -> Iterator[Call | Problem]:
    talk = Talk(reading)
    sent_at: datetime | None = None
    uncounted = 0
    for name, message in chat.messages.items():
        talk.before(name, chat.rewinds.get(name, ""))
        at = moment(message.get("timestamp"))
        if message.get("type") == "gemini":
            tokens = message.get("tokens")
            try:
                usage = usage_from(mapping(tokens))
                if usage.total_tokens:
                    yield _call(message, usage, thread, sent_at, talk, chat.meta)
                elif tokens is None and message.get("content"):
                    uncounted += 1
            except ValueError as error:
                yield Problem(str(path), f"message not counted: {error}", chat.places[name] or None)
            sent_at = max(filter(None, (sent_at, at, *_tool_ends(message))), default=None)
        elif message.get("type") == "user":
            sent_at = at or sent_at
        talk.grow(message)
    talk.end()
    if uncounted:
        yield Problem(str(path), f"{number_of(uncounted, 'reply has', 'replies have')} no token counts: not counted")


def usage_from(tokens: Mapping[str, Any]) -> Usage:
    """The CLI's own names for Gemini's counts.

    Raises:
        ValueError: a count is no count of tokens.
    """
    if tokens and not is_counted(tokens, "input"):
        raise ValueError("input was not counted")
    return buckets(
        prompt=checked_count("input", tokens.get("input")),
        read=checked_count("cached", tokens.get("cached")),
        tool_use=checked_count("tool", tokens.get("tool")),
        candidates=checked_count("output", tokens.get("output")),
        thoughts=checked_count("thoughts", tokens.get("thoughts")),
    )


def _call(
    message: Message, usage: Usage, thread: Thread, sent_at: datetime | None, talk: "Talk", meta: Mapping[str, Any]
) -> Call:
    at = moment(message.get("timestamp"))
    model = text(message.get("model"))
    if at is None or not model:
        raise ValueError("it has no time or no model")
    started = sent_at if sent_at and sent_at <= at else at
    thoughts = (moment(mapping(thought).get("timestamp")) for thought in listed(message.get("thoughts")))
    first = min((thought for thought in thoughts if thought and started <= thought <= at), default=None)
    is_agent = meta.get("kind") == "subagent"
    return Call(
        call_id=f"{NAME}:{text(message.get('id'))}",
        source=NAME,
        provider="google",
        model=model,
        started=started,
        first_token=first,
        finished=at,
        usage=usage,
        charges=Charges.of(caveats=unknown_numbers(mapping(message.get("tokens")), KNOWN, "tokens")),
        task=thread.task,
        conversation=thread.session,
        agent=thread.session if is_agent else "",
        project=text(next(iter(listed(meta.get("directories"))), "")) or text(meta.get("projectHash")),
        anatomy=talk.sent(usage, model, f"{NAME}:{text(message.get('id'))}"),
    )


def _tool_ends(message: Message) -> Iterator[datetime | None]:
    for call in listed(message.get("toolCalls")):
        yield moment(mapping(call).get("timestamp"))


class Talk:
    """The context as it grows, if anatomy is asked for. Measured with the model of the call that sends it."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._segmenter = reading.segmenter()
        self._context = Context()
        self._places: dict[str, int] = {}
        self._waiting: list[Block] = []
        self._model = ""
        self._answered = ""

    def before(self, message: str, rewound: str) -> None:
        """A message follows; a rewind may have taken back what came before it."""
        if not self._reading.anatomy:
            return
        self._measure()
        if rewound in self._places:
            self._context.cut(self._places[rewound], "rewind")
        self._places[message] = len(self._context)

    def grow(self, message: Message) -> None:
        if self._reading.anatomy:
            self._waiting += message_blocks(message)

    def end(self) -> None:
        """The last reply stands in no context, but it is listened to."""
        if self._reading.anatomy:
            self._measure()

    def sent(self, usage: Usage, model: str, call_id: str) -> Anatomy | None:
        if not self._reading.anatomy:
            return None
        self._model = model
        self._measure()
        self._answered = call_id
        return self._context.sent(usage.prompt_tokens)

    def _measure(self) -> None:
        segments = self._segmenter.segments(self._waiting, self._model)
        self._reading.listener.on_reply(self._answered, segments)
        self._context.grow(segments)
        self._waiting = []


def message_blocks(message: Message) -> list[Block]:
    """A message with the tool calls it made and their results. Thoughts are not sent again."""
    is_reply = message.get("type") == "gemini"
    if not is_reply and message.get("type") != "user":
        return []
    kind = SegmentKind.ASSISTANT if is_reply else SegmentKind.USER
    blocks = parts_blocks(kind, as_list(message.get("content")))
    for tool_use in map(mapping, listed(message.get("toolCalls"))):
        blocks.append(tool_call(tool_use.get("name"), tool_use.get("args"), tool_use.get("id")))
        answers = parts_blocks(SegmentKind.TOOL_RESULT, as_list(tool_use.get("result")))
        failed = tool_use.get("status") == "error"
        result_text = "\n".join(answer.text for answer in answers) or plain(tool_use.get("result"))
        is_error = failed or any(answer.is_error for answer in answers)
        blocks.append(tool_result(result_text, tool_use.get("id"), tool=tool_use.get("name"), is_error=is_error))
    return blocks


def recognises(path: Path, head: bytes) -> bool:
    """A document or a first row with a session and the hash of a project."""
    del path
    start = head[:4096]
    return (
        start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b'"sessionId"' in start and b'"projectHash"' in start
    )


def places(home: Path, environment: Mapping[str, str]) -> list[Path]:
    """The chats of all projects; other files of the CLI lie beside them."""
    del environment
    return sorted((home / ".gemini" / "tmp").glob("*/chats"))


FORMAT = LogFormat(
    name=NAME,
    title="Gemini CLI chats",
    recognises=recognises,
    read=read,
    places=places,
    checked_against="real exports",
    lines=False,
)
