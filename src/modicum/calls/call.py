"""One request to a model and its reply: the thing that is billed once."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from modicum.calls.anatomy import Anatomy
from modicum.calls.basis import Basis
from modicum.calls.charges import NO_CHARGES, ChargedUnit, Charges
from modicum.calls.edit import Edit
from modicum.calls.usage import Usage


class CallStatus(StrEnum):
    OK = "ok"
    ERROR = "error"
    """The provider or a gateway answered with an error."""
    ABORTED = "aborted"
    """The reply broke off, or the client left."""
    UNKNOWN = "unknown"
    """The call was begun, and nothing is known of its end."""


class Tier(StrEnum):
    """The price lane in which a call was served."""

    STANDARD = "standard"
    BATCH = "batch"
    FLEX = "flex"
    PRIORITY = "priority"
    FAST = "fast"

    @classmethod
    def from_name(cls, name: str) -> "Tier":
        """The lane that a provider calls so, in any case; STANDARD where the name is of none (`default`, `auto`)."""
        return _LANES.get(name.lower(), cls.STANDARD)

    @classmethod
    def is_known(cls, name: str) -> bool:
        """Whether a provider's word for a lane is understood; no word is one that says nothing."""
        return not name or name.lower() in _LANES


_LANES = {tier.value: tier for tier in Tier} | {
    "on_demand_flex": Tier.FLEX,
    "on_demand_priority": Tier.PRIORITY,
    **dict.fromkeys(("default", "auto", "on_demand", "traffic_type_unspecified", "none", "null"), Tier.STANDARD),
}
"""Vertex calls its lanes after the kind of traffic. Provisioned throughput is paid by the hour: no lane of ours."""


OURSELVES = "modicum"
"""The provider of a call that the gateway answered itself: it costs nothing, and nobody bills it."""


FAILED_ATTEMPT = "attempt.failed"
"""The tag of a record that is no call of its own, but an attempt of one that was sent once more; it says why."""


class Owner(msgspec.Struct, frozen=True, gc=False):
    """Who pays. Any part may be empty."""

    team: str = ""
    app: str = ""
    user: str = ""
    key: str = ""
    """Name or digest of an API key, never the key."""

    def fits(self, team: str = "", app: str = "", user: str = "", key: str = "") -> bool:
        """Whether it has these names. An empty one fits everybody."""
        named = (team, self.team), (app, self.app), (user, self.user), (key, self.key)
        return all(not name or name == own for name, own in named)


NOBODY = Owner()


class Call(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A call as a door saw it, before it has a price. Times are UTC."""

    call_id: str
    """Identity across doors and files: the same call has the same id wherever it is seen, as `source:native id`."""
    source: str
    """The door or log format it came through: `claude-code`, `codex`, `gateway`, ..."""
    provider: str
    """Who serves and bills it, by the id of genai-prices (`anthropic`, `openai`, `aws`, ...); empty where unknown."""
    model: str
    """The model's name as the log has it."""
    started: datetime
    first_token: datetime | None = None
    finished: datetime | None = None
    status: CallStatus = CallStatus.OK
    finish_reason: str = ""

    usage: Usage
    usage_basis: Basis = Basis.EXACT
    """How the input buckets are known. UNKNOWN: the counts are absent, and the zeros in `usage` mean nothing."""
    output_basis: Basis = Basis.EXACT
    """How the output buckets are known."""
    output_tokens_estimated: int | None = None
    """Where the logged output is a lower bound: our count from the content. Shown beside, never mixed in."""
    tier: Tier = Tier.STANDARD
    charges: Charges = NO_CHARGES
    """What is charged beside the tokens, and what makes the cost less than certain."""
    calls_count: int = 1
    """How many calls this record stands for; more than 1 for aggregated provider reports; 0 where no model was
    asked."""
    reported_cost_usd: Decimal | None = None
    """What the log itself says the call cost, if it does."""

    task: str = ""
    """What the call was made for: a session, a ticket, a pull request, an eval case."""
    conversation: str = ""
    """The growing context that the call belongs to; a task with subagents has several. `task` unless said."""
    turn: int = 0
    """Place of the call within its conversation, from 0, where the log has an order of its own; calls of one turn are
    ordered by time."""
    agent: str = ""
    """The agent within the task; empty for the main one."""
    project: str = ""
    client_version: str = ""
    """The version of the program that sent it, where the log has it: 2.1.39."""
    branch: str = ""
    """The version-control branch that was worked on, where the log has it."""
    owner: Owner = NOBODY
    tags: dict[str, str] = {}
    """Anything else worth grouping by."""
    place: str = ""
    """Where in the source it was seen, if that matters: `progress` for calls that stand only in progress rows; what
    only reports on calls that may stand elsewhere (`session_reports`)."""

    revision: int = 0
    """How complete this record of the call is. Of two records with one `call_id` the one with the greater revision
    stands; of equals, the one booked first."""
    anatomy: Anatomy | None = None
    """None where the source has no content, or it was not asked for."""
    edits: tuple[Edit, ...] = ()
    """What rules changed before the call was sent, in their order."""


_call = msgspec.msgpack.Decoder(Call)
_MARK = b"\xacweb_searches"
"""The key, as MessagePack writes a text of twelve bytes."""


class _FormerCall(msgspec.Struct):
    """What calls had until charges had units."""

    web_searches: int = 0


def decode_call(body: bytes) -> Call:
    """The call of a journal's record, also of one that a version before this one wrote.

    Raises:
        msgspec.DecodeError: it is none.
    """
    call = _call.decode(body)
    if _MARK in body and (searches := msgspec.msgpack.decode(body, type=_FormerCall).web_searches):
        return msgspec.structs.replace(call, charges=Charges({ChargedUnit.WEB_SEARCH.value: searches}))
    return call
