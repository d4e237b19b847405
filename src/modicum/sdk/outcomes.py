"""An outcome sent to a gateway from inside a program of the user's."""

from datetime import UTC, datetime

import msgspec

from modicum.calls import UserError
from modicum.outbound.blocking import ask
from modicum.outbound.hosts import origin_at, split_address
from modicum.outbound.unreachable import Unreachable

TIMEOUT_S = 30.0


def post_outcome(
    gateway: str, key: str, task: str, name: str, value: float, *, time: datetime | None = None, outcome_id: str = ""
) -> None:
    """Reports what came of a task to the gateway at this address (`http://host:8787`); it is durable on return.

    With the same `outcome_id`, or the same `time`, a second report of this key replaces the first, so give one of
    them where you may send twice. Without a time: now. It blocks: in an event loop, call it in a thread.

    Raises:
        UserError: the address is none, no gateway answers, or it refuses; the message holds its reason.
    """
    target = split_address(gateway).path.rstrip("/") + "/outcomes"
    at = (time or datetime.now(UTC)).isoformat()
    body = msgspec.json.encode({"task": task, "name": name, "value": value, "time": at, "id": outcome_id})
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    try:
        reply = ask(origin_at(gateway), "POST", target, body, headers, timeout_s=TIMEOUT_S)
    except Unreachable as error:
        raise UserError(f"no gateway answers: {error}; start one with 'modicum up'") from None
    if reply.status != 200:
        raise UserError(f"the gateway refused the outcome with status {reply.status}: {_reason(reply.body)}")


def _reason(body: bytes) -> str:
    try:
        return str(msgspec.json.decode(body)["error"]["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return "no reason given"
