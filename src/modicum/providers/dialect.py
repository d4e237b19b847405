"""One API of one family of providers, as gateway, mock provider and rules ask for it. A folder each fills it in.

The bytes of a call pass through unchanged; a dialect only reads what the books need: before the call the request's
facts, after it the reply's, and meanwhile the tail of a stream. Everything here is pure: bytes in, facts out.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote

import msgspec

from modicum.calls.change import Change, DoesNotFit
from modicum.providers.blocks import Block
from modicum.providers.body_parsing import UNREADABLE, parse_request_object
from modicum.providers.cut_off.stream_cut import StreamCut
from modicum.providers.facts import ReplyFacts, RequestFacts, StreamTail
from modicum.providers.limit_headers import LimitHeaders
from modicum.providers.mock_rules import MockRules
from modicum.providers.model_lists.shape import MODEL_LIST, ModelListShape
from modicum.providers.own_reply import OwnText, write_own_reply
from modicum.providers.own_tools.shape import OwnToolShape
from modicum.providers.planned_reply import ReplyWriter
from modicum.providers.prompt import PromptShape, RequestPrompt
from modicum.providers.repeated.repeated_prompt import RepeatedPrompt
from modicum.providers.reply_text import ReplyText, StreamTexts, TextReaders, read_reply_text
from modicum.providers.seen_requests import SeenRequests, SplitRequest

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_encode = msgspec.json.encode

TOKENS_PER_BLOCK = 4
"""What a provider puts around a message, as https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken
counts it."""


class DialectApi(NamedTuple):
    """What an upstream has: dialects that share an address and a key."""

    name: str
    """As the settings call it (`speaks`)."""
    key_header: bytes = b"authorization"
    key_prefix: bytes = b"Bearer "
    """What stands before the key in that header."""
    provider: str = ""
    """Who bills where the address does not tell (a mock, a relay on this machine): whose models they must be."""
    limits: LimitHeaders | None = None
    """The headers by which it says how rate limits stand; None: it has none."""
    request_id_header: bytes = b"x-request-id"
    """The header of a reply that names the request, for its provider's support."""
    is_signed: bool = False
    """Whether its requests are signed as AWS wants it, unless they bring a bearer's key."""
    lists_models: bool = True
    """Whether an upstream says which models it has."""


class Target(NamedTuple):
    """What a path asks for."""

    path: str
    """Below the upstream's address, as it is written there."""
    is_call: bool = True
    """Billed, metered, recorded. Else it is passed on after the check of the key (token counts, lists of models)."""
    late_reply: str = ""
    """The id of the reply that it asks for, to a call that was made before."""
    counts_tokens: bool = False
    """It asks how many tokens a prompt has: where an upstream does not say, our own count does."""
    root: str = ""
    """What stands before the path of the upstream's address itself."""
    batch: Any = None
    """What of batches it asks for (`batches.facts.BatchTarget`); None: nothing."""
    is_streamed: bool = False
    """Its body may be larger than what is held: it goes on as it comes."""


def quoted(path: str) -> str:
    """What was decoded stays a part of the path: nothing in a model's name begins something else upstream."""
    return quote(path, safe="/:@!$&'()*+,=~")


class Dialect(ABC):
    """What is not the same everywhere has its usual value here; a dialect says what is special about it."""

    name: ClassVar[str]
    api: ClassVar[DialectApi]
    paths: ClassVar[Mapping[str, Target]] = {}
    """What POST asks for under a fixed path; the first is where translated calls go."""
    area: ClassVar[re.Pattern[str] | None] = None
    """Beginnings of further paths that are its own: they are looked up by `find`, and refused in its words."""
    metered: ClassVar[re.Pattern[str] | None] = None
    """Ends of paths of its area that are calls of its own, however they begin: such a path that `find` does not know is
    refused, and not passed on as one that nobody meters."""
    list_header: ClassVar[bytes] = b""
    """The request header by which its clients' lists of models are told from those of OpenAI's, under one path."""
    version_headers: ClassVar[tuple[tuple[bytes, bytes], ...]] = ()
    """What the API wants of every caller, for calls that come from another dialect."""
    stream_ends: ClassVar[tuple[bytes, ...]] = ()
    """What the last event of a stream holds; none: it ends with the connection. A text may hold these bytes too, so the
    tail has the last word."""
    streams_json: ClassVar[bool] = False
    """Whether a stream may come as JSON."""
    streams_frames: ClassVar[bool] = False
    """Whether a stream comes in frames of its own and not as events: its tail passes on whole ones."""
    model_in_path: ClassVar[bool] = False
    """Whether the path names the model, and the body none."""
    other_paths: ClassVar[re.Pattern[str]] = re.compile(r"/v1(?:alpha|beta)?(?=/)")
    """How paths of its API begin that no dialect has; what it matches does not go upstream."""
    shared_headers: ClassVar[frozenset[bytes]] = frozenset()
    """Headers that mean the same to it as to the dialects that are translated into it."""
    generates: ClassVar[bool] = True
    """Whether a model writes something: a call may be an agent's turn."""
    is_metered: ClassVar[bool] = True
    """False: nobody here knows what its calls cost. They pass as they come, and are on record with unknown cost."""
    has_websocket: ClassVar[bool] = False
    """Whether its calls may come over a WebSocket, one message each, under the first of its paths."""
    relays_websocket: ClassVar[bool] = False
    """Whether that WebSocket goes on to its provider as one, and its messages as they are."""
    usage_marks: ClassVar[tuple[bytes, ...]] = ()
    """What a message on such a socket holds that may tell usage."""
    has_batches: ClassVar[bool] = False
    """Whether its calls ask for batches, whose results come later."""
    has_model: ClassVar[bool] = True
    """Whether its calls name a model. Else the first upstream of its API is asked."""
    unbounded: ClassVar[str] = "what it makes is not billed by its text"
    """Why nothing bounds what a call may cost, where text does not (`bills_text`)."""
    bills_text: ClassVar[bool] = True
    """Whether our count of a call's text says anything of what it costs, where the provider has not counted. False: it
    is billed by the picture, the second or not at all."""
    has_deployments: ClassVar[bool] = False
    """Whether its paths name the deployment, and not the body the model, where deployments have paths (Azure)."""
    is_free: ClassVar[bool] = False
    """Whether its provider charges nothing for it."""
    repeatable_fields: ClassVar[frozenset[str]] = frozenset()
    """Request fields that ask for words and nothing else: where a request has no others, the reply to the same one can
    answer it. None: it is always asked."""
    keeps_replies: ClassVar[bool] = False
    """Whether the provider keeps a reply for later, unless `store` is false."""
    overloaded_status: ClassVar[int] = 503
    """The HTTP status for want of capacity."""
    empty_text: ClassVar[str] = ""
    """What a reply without words says, where no later prompt could hold an empty text."""
    prompt_shape: ClassVar[PromptShape | None] = None
    """None: its requests are not taken apart."""
    stream_texts: ClassVar[StreamTexts | None] = None
    """None: nobody edits its streams."""
    stream_cut: ClassVar[type[StreamCut] | None] = None
    """Ends a stream early; None: nobody does."""
    words: ClassVar[TextReaders | None] = None
    """None: its replies have none."""
    own_tools: ClassVar[OwnToolShape | None] = None
    """How a tool of ours is offered to its models, and read out of their replies; None: nobody here knows."""
    writer: ClassVar[ReplyWriter]
    mock: ClassVar[MockRules] = MockRules()
    model_list: ClassVar[ModelListShape] = MODEL_LIST

    @abstractmethod
    def request(self, body: bytes, path: str) -> RequestFacts:
        """The facts of a request. `path` is the decoded path that is served, with or without its query.

        Raises:
            DialectError: it is not JSON, names no model, or a field that we read has the wrong type.
        """

    has_media_by_type: ClassVar[bool] = False
    """Whether nothing of its requests is media but blocks that `message_blocks.may_show_media` knows by their type or
    name."""

    @staticmethod
    @abstractmethod
    def blocks_of(request: Mapping[str, Any]) -> list[Block]:
        """What the model sees, in the provider's cache order (tools, system, messages)."""

    def segments(self, body: bytes) -> list[Block]:
        """The blocks of a request as it was sent. Runs off the reply's path.

        Raises:
            DialectError: it is not JSON.
        """
        return self.blocks_of(parse_request_object(body))

    def prompt_tokens(self, body: bytes, count: Callable[[str], int]) -> int:
        """The prompt's tokens as we count them. Takes time.

        Raises:
            DialectError: it is not JSON.
        """
        blocks = self.segments(body)
        return sum(count(block.shown) for block in blocks if block.is_text) + TOKENS_PER_BLOCK * len(blocks)

    def with_usage_asked(self, body: bytes) -> bytes:
        """The request, so that its stream will hold usage; all other bytes unchanged. For bodies that `request` took.
        Most dialects tell usage unasked.

        Raises:
            DialectError: it is not JSON.
        """
        return body

    def with_stream(self, body: bytes) -> bytes:
        """The request, translated from a dialect whose path asks for a stream, so that it asks for one with usage."""
        if self.model_in_path:
            return body
        fields = _fields.decode(body)
        fields["stream"] = msgspec.Raw(b"true")
        return self.with_usage_asked(_encode(fields))

    def with_headers(self, body: bytes, headers: Mapping[bytes, bytes]) -> bytes:  # noqa: ARG002 - as a rule headers stay headers
        """The request, translated into this dialect, with what its callers said in headers and this API wants in the
        body.
        """
        return body

    def without_usage_asked(self, body: bytes) -> bytes:
        """The way back, for a request that a translation wrote and an upstream refuses.

        Raises:
            DialectError: it is not JSON.
        """
        return body

    def with_most_output(self, body: bytes, tokens: int) -> bytes | None:
        """The request with so many tokens of output at most, for each choice; None: that cannot be said in it. For
        bodies that `request` took.
        """
        if self.prompt_shape is None:
            return None
        try:
            return RequestPrompt(body, self.prompt_shape).write(Change(most_output_tokens=tokens))
        except DoesNotFit:
            return None

    @abstractmethod
    def reply(self, body: bytes) -> ReplyFacts:
        """The facts of a whole reply, or of an error. Never raises: see `ReplyFacts.problem`."""

    @abstractmethod
    def tail(self, usage_asked: bool) -> StreamTail:
        """A watcher for one stream. `usage_asked` as in the caller's request: False removes the chunk that came only
        because we asked.
        """

    @abstractmethod
    def error(self, status: int, message: str, kind: str) -> bytes:
        """A body that says so in this dialect. `kind` is a short word for programs (`budget_exceeded`)."""

    def error_event(self, status: int, message: str, kind: str) -> bytes:
        """The same as an event, for a stream that has begun."""
        return b"data: %b\n\n" % self.error(status, message, kind)

    def find(self, method: str, path: str) -> Target | None:  # noqa: ARG002 - nothing, unless a dialect has such paths
        """What a path of its `area` asks for; None: nothing is served there."""
        return None

    def call_target(self, model: str, *, stream: bool) -> tuple[str, bytes]:  # noqa: ARG002 - as a rule all have one path
        """The upstream's path and query for a call that comes from another dialect."""
        return next(iter(self.paths.values())).path, b""

    def target_for(self, path: str, model: str) -> str:  # noqa: ARG002 - as a rule the model stands in the body
        """The upstream's path for a call that was moved to another model."""
        return path

    def split(self, body: bytes, seen: SeenRequests) -> SplitRequest | None:
        """The request with its messages; None where these do not lie plainly in it. `seen` knows what came before."""
        if self.prompt_shape is None:
            return None
        try:
            return seen.split(body, self.name, self.prompt_shape.messages)
        except UNREADABLE:
            return None

    def may_hold_results(self, body: bytes) -> bool:
        """Whether a request may hold results of tools, as its prompt would say: False is certain."""
        marks = () if self.prompt_shape is None else self.prompt_shape.result_marks
        for mark in marks:
            if mark in body:
                return True
        return not marks

    def prompt(
        self, body: bytes, seen: SeenRequests | None = None, split: SplitRequest | None = None
    ) -> RequestPrompt | None:
        """The request as rules see it; None where the dialect's are not taken apart. `seen` knows what came before,
        `split` is the request with its messages, if somebody has split it already.
        """
        if self.prompt_shape is None:
            return None
        if seen is None:
            return RequestPrompt(body, self.prompt_shape)
        return RepeatedPrompt(body, self.prompt_shape, self.name, seen, split)

    def with_last_line(self, body: bytes, line: str) -> bytes | None:
        """The request with a line of ours behind its last words, all before it as the caller wrote it; None: there is
        no place for one, as behind the model's own words.
        """
        shape = self.prompt_shape
        if shape is None or shape.with_line is None:
            return None
        try:
            fields = _fields.decode(body)
            messages = bytes(fields.get(shape.messages, b"")).strip()
            if messages.startswith(b'"'):  # all of it is one text
                fields[shape.messages] = msgspec.Raw(_encode(f"{msgspec.json.decode(messages)}\n\n{line}"))
                return _encode(fields)
            every = _raws.decode(messages)
            last = _fields.decode(every[-1]) if every else {}
            if not shape.with_line(last, line, fields):
                return None
        except UNREADABLE:
            return None
        every[-1] = msgspec.Raw(_encode(last))
        fields[shape.messages] = msgspec.Raw(_encode(every))
        return _encode(fields)

    def reply_text(self, reply: bytes, *, stream: bool) -> ReplyText | None:
        """What a reply says; None where that is not known."""
        return None if self.words is None else read_reply_text(self.words, reply, stream=stream)

    def own_reply(self, own: OwnText) -> tuple[bytes, bytes] | None:
        """Content type and body of a reply in the provider's place; None where nobody knows what the caller can take:
        requests are not taken apart, or do not say all of it.
        """
        return None if self.prompt_shape is None else write_own_reply(self.writer, own)
