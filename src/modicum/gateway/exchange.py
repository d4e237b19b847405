"""One call on its way through the gateway: the noun that the stages of the pipeline hand to each other."""

from collections.abc import Callable, Mapping
from time import monotonic, time
from typing import Any, NamedTuple, TypeVar

from modicum.calls import Call, CallStatus
from modicum.calls.prompt import Prompt
from modicum.context.live import LiveContext
from modicum.context.live_turns import LivePlace
from modicum.gateway.callers.attribution import Attribution
from modicum.gateway.callers.owners import Caller
from modicum.gateway.edit_tokens import ReplacedTexts
from modicum.gateway.http.known_head import KnownHead
from modicum.gateway.http.paths import Served
from modicum.gateway.http.upload import Upload
from modicum.gateway.upstreams import Route
from modicum.optimizers.running import prompt_in
from modicum.outbound.keepalive import Answer, Header
from modicum.providers.dialect import Dialect
from modicum.providers.dialects import DIALECTS
from modicum.providers.facts import ReplyFacts, RequestFacts, StreamTail
from modicum.providers.seen_requests import SeenRequests, SplitRequest
from modicum.providers.translation.translation import Translation

Known = TypeVar("Known")


class Timing:
    """Seconds since 1970; 0: not yet, or not known. Only the beginning is taken from the wall clock, which may be set
    while a call is under way: all else is the beginning and what a clock that only goes forward says has passed.
    """

    __slots__ = ("_started_at", "finished_s", "first_token_s", "started_s")

    def __init__(self, started_s: float) -> None:
        self.started_s = started_s
        self._started_at = monotonic()
        self.first_token_s = 0.0
        self.finished_s = 0.0

    def now_s(self) -> float:
        return self.started_s + monotonic() - self._started_at


class Request:
    """What came from the caller. `headers` has the first of each name; `passing` are those that may go on; `head` is
    what its connection knows of them; `upload` is a body that has not come yet; `scheme` is its connection's.
    """

    __slots__ = ("body", "caller", "head", "headers", "passing", "path", "query", "scheme", "served", "upload")

    def __init__(
        self,
        served: Served,
        path: str,
        query: bytes,
        caller: Caller,
        headers: Mapping[bytes, bytes],
        passing: list[Header],
        body: bytes,
        head: KnownHead | None = None,
        upload: Upload | None = None,
        scheme: str = "http",
    ) -> None:
        self.head, self.upload, self.scheme = head, upload, scheme
        self.served, self.path, self.query, self.caller = served, path, query, caller
        self.headers, self.passing, self.body = headers, passing, body


class OwnReply(NamedTuple):
    """A reply that the gateway gives in the provider's place."""

    status: int
    content_type: bytes
    body: bytes
    refused: str = ""
    """A short word for programs, if it is an error."""
    headers: tuple[Header, ...] = ()
    """Beside the type of its content."""


class PendingEdit(NamedTuple):
    """A rule's change, before anybody has counted its tokens."""

    rule: str
    why: str
    before: bytes | None = None
    """The request before it, in the caller's dialect; None: the change is not about tokens."""
    after: bytes | None = None
    """The request after it; None: nothing was sent."""
    texts: ReplacedTexts | None = None
    """In the place of both, where nothing but these texts was changed: long requests are not counted as a whole."""


class Exchange:
    """A call that was admitted."""

    __slots__ = (
        "about",
        "agent_line",
        "answer",
        "answered_by",
        "attempts",
        "attempts_tokens",
        "begun",
        "body",
        "budget_left",
        "caller",
        "ceiling",
        "client_gone",
        "context",
        "custom_tools",
        "downgraded_to",
        "edited",
        "edits",
        "facts",
        "features",
        "finished",
        "guard_line",
        "is_plain",
        "late_context",
        "left_out",
        "limit_headers",
        "limit_hold",
        "listeners",
        "mark",
        "most_line_tokens",
        "number",
        "on_leave",
        "on_reply",
        "one_model",
        "paid",
        "place",
        "prompt_if_read",
        "redaction",
        "redactor",
        "reply",
        "request",
        "reservation",
        "route",
        "seen",
        "slot",
        "split",
        "status",
        "tags",
        "tail",
        "timing",
        "translation",
        "upstream_dialect",
        "with_line",
    )

    def __init__(
        self,
        number: str,
        request: Request,
        caller: Caller,
        facts: RequestFacts,
        about: Attribution,
        route: Route,
        seen: SeenRequests | None = None,
        split: SplitRequest | None = None,
    ) -> None:
        self.number, self.seen, self.split = number, seen, split
        self.request, self.caller, self.facts, self.about = request, caller, facts, about
        self.body = request.body
        """What goes upstream: the caller's bytes, unless a rule changed them."""
        self.edited = request.body
        """The same in the caller's dialect, before it is made ready for its upstream."""
        self.prompt_if_read: Prompt | None = None
        """The prompt of `edited`, once somebody has looked."""
        self.one_model = bool(caller.models)
        """Whether which model is asked was checked, so that the request must name no second one."""
        self.edits: tuple[PendingEdit, ...] = ()
        self.tags: dict[str, str] = {}
        """Tags that rules add to the caller's."""
        self.features: tuple[object, ...] = ()
        """What features know of the call, at most one object of a class (`of`)."""
        self.listeners: tuple[Any, ...] = ()
        """Who listens to the reply (`listening.ReplyListener`)."""
        self.answered_by = ""
        """Who answered in the upstream's place; empty: nobody."""
        self.mark = ""
        """What a plan did, for the reply's header."""
        self.redaction: Any = None
        """What of it does not leave (`redaction.redacting.CallRedaction`); None: all may."""
        self.redactor: Any = None
        """Who decides that at each attempt (`redaction.redacting.Redactor`); None: nobody's calls are redacted."""
        self.is_plain = False
        """A call of ours, of no feature's and no rule's business."""
        self.begin_governance()
        self.timing = Timing(time())
        self.begun: Call
        self.slot = -1
        self.upstream_dialect: Dialect
        """The dialect that the upstream is spoken to in."""
        self.translation: Translation | None
        """Where that is not the caller's."""
        self.go(route)
        self.left_out: tuple[str, ...] = ()
        """Hints of the caller that have no counterpart there."""
        self.custom_tools: frozenset[str] = frozenset()
        """As in `Translated`."""
        self.forget_reply()
        self.client_gone = False
        self.context: LiveContext | None = None
        self.place: LivePlace | None = None
        """Where it stands in its conversation, if a rule might want to know."""
        self.late_context = False
        """The call was recorded before its context was counted: the context follows in a record of its own."""
        self.finished: Call | None = None
        """Its record."""

    @property
    def prompt(self) -> Prompt:
        """The request taken apart, as it is now."""
        if self.prompt_if_read is None:
            self.prompt_if_read = prompt_in(self.request.served.dialect, self.edited, self.seen, self.split)
        return self.prompt_if_read

    def edit(self, body: bytes, split: SplitRequest | None = None) -> None:
        """Changes the request, in the caller's dialect. `split` is the same with its messages, where they are known."""
        if body is not self.edited:
            self.body = self.edited = body
            self.prompt_if_read, self.split = None, split

    def of(self, kind: type[Known]) -> Known | None:
        """What a feature knows of the call; None: it is none of its business."""
        return next((known for known in self.features if isinstance(known, kind)), None)

    def go(self, route: Route) -> None:
        """Where the call goes, from now on."""
        self.route = route
        self.upstream_dialect = DIALECTS[route.dialect]
        self.translation = route.translation
        self.about.tags.pop("server", None)  # of the way that it does not go
        if route.upstream.server:
            self.about.tags["server"] = route.upstream.server

    def begin_governance(self) -> None:
        """It holds nothing yet."""
        self.reservation: Any = None
        """What it holds of budgets (`budgets.budgeting.Reservation`); None: nothing."""
        self.budget_left: Any = None
        """What its budgets have left (`budgets.left.BudgetsLeft`); None: it has none."""
        self.agent_line = ""
        """What its prompt ends with, about its budget; empty: nothing."""
        self.with_line: bytes | None = None
        """`edited` with that line, once it was made ready; None: it has none."""
        self.most_line_tokens = 0
        """What is reserved for that."""
        self.guard_line = ""
        """What its prompt ends with, about the agents of its task; empty: nothing."""
        self.ceiling: Any = None
        """The most output that budgets leave it (`budgets.output_ceilings.OutputCeiling`); None: all that it asks."""
        self.downgraded_to = ""
        """The cheaper model that a budget sent it to."""
        self.limit_hold: Any = None
        """What it holds of its caller's rate limits (`limits.limiting.LimitHold`); None: nothing."""
        self.limit_headers: Callable[[], list[Header]] | None = None
        """What its reply says of these, once it is written."""
        self.on_leave: Callable[[], None] | None = None
        """Called when the caller leaves while its call waits and is not sent."""
        self.on_reply: Callable[[], None] | None = None
        """Called when the head of an upstream's reply is there."""
        self.attempts = 1
        """How often it was sent, this time included."""
        self.attempts_tokens = 0
        """What rate limits count of the times before this one, prompts and replies."""
        self.paid: tuple[Any, ...] = ()
        """What its failed attempts have cost (`budgets.covering.PaidOn`)."""

    def forget_reply(self) -> None:
        """As before it was sent: where the call goes and what it is stay."""
        self.answer: Answer | None = None
        self.tail: StreamTail | None = None
        self.reply: ReplyFacts | None = None
        self.status = CallStatus.UNKNOWN

    def begin_anew(self) -> None:
        """Gives up an attempt that failed."""
        if self.answer is not None:
            self.answer.close()
        self.forget_reply()
        self.left_out, self.custom_tools = (), frozenset()
        self.timing.first_token_s = 0.0

    def sent(self, answer: Answer) -> None:
        """The request is on its way. Whoever left before that does not wait for it."""
        self.answer = answer
        if self.client_gone:
            answer.close()

    def client_left(self) -> None:
        """Nobody reads the reply any more: the upstream need not write it."""
        self.client_gone = True
        if self.answer is not None:
            self.answer.close()
        if self.on_leave is not None:
            self.on_leave()


def is_unbilled(exchange: Exchange) -> bool:
    """Whether an ended call has certainly cost nothing: it was answered here, never sent, or refused by its provider
    before anything was written. A gateway's time-out (504, 524) is no such refusal: the model may have written.
    """
    if exchange.answered_by or exchange.answer is None:
        return True
    usage_told = exchange.reply is not None and exchange.reply.usage is not None
    return exchange.answer.status in _REFUSING and not usage_told


_REFUSING = frozenset(range(400, 500)) - {408, 499} | {500, 501, 502, 503, 529}
