"""The ledger process's answers over HTTP: JSON for people and programs, MessagePack for modicum's own commands."""

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

from modicum.calls import AuditEvent, EnergyWindow, Entry, Outcome, UserError
from modicum.console import wire
from modicum.console.ledger_thread import LedgerThread
from modicum.console.live import BY
from modicum.ledger.store import Purge, question_text

Message = MutableMapping[str, Any]
MOST_BODY_BYTES = 512 * 1024 * 1024

_KEPT = (datetime, Decimal, bytes, np.ndarray)
"""Types that MessagePack and `wire` carry as they are."""
_json = msgspec.json.Encoder(decimal_format="number", order=None)


class Api:
    """An ASGI application. `/healthz`, `/readyz` and `/metrics` are open; everything else needs the token that
    `console.json` holds.
    """

    def __init__(self, ledger: LedgerThread, token: str, metrics: Callable[[], str]) -> None:
        self._ledger = ledger
        self._token = token
        self._metrics = metrics
        self._answers: dict[str, Callable[[bytes], Awaitable[Any]]] = {
            "live": self._live,
            "ask": self._ask,
            "ask-columns": self._ask_columns,
            "append": self._append,
            "append-audit": self._append_audit,
            "append-energy": self._append_energy,
            "append-outcomes": self._append_outcomes,
            "conversations-of": self._conversations_of,
            "energy": self._energy,
            "outcomes": self._outcomes,
            "entries": self._entries,
            "purge": self._purge,
            "purge-energy": self._purge_energy,
            "status": self._status,
        }

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        status, document = await self._answer(scope["method"], scope["path"], headers, receive)
        packed = wire.MEDIA_TYPE.encode() in headers.get(b"accept", b"") and status == 200
        if isinstance(document, str):
            kind, body = b"text/plain; charset=utf-8", document.encode()
        elif packed:
            kind, body = wire.MEDIA_TYPE.encode(), wire.encode(msgspec.to_builtins(document, builtin_types=_KEPT))
        else:
            kind, body = b"application/json", _json.encode(document)
        head = [
            (b"content-type", kind),
            (b"content-length", b"%d" % len(body)),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})

    async def _answer(
        self, method: str, path: str, headers: dict[bytes, bytes], receive: Callable[[], Awaitable[Message]]
    ) -> tuple[int, Any]:
        if method == "GET" and path in {"/healthz", "/readyz", "/metrics"}:
            return self._to_anybody(path)
        answer = self._answers.get(path.removeprefix("/api/")) if path.startswith("/api/") else None
        if answer is None or method != "POST":
            return 404, "nothing is served here\n"
        told = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
        if not hmac.compare_digest(told, self._token.encode()):
            return 401, "the token of console.json is needed\n"
        body = await _body(receive)
        try:
            return 200, await answer(body)
        except UserError as error:
            return 503, str(error)
        except (msgspec.DecodeError, msgspec.ValidationError, KeyError, ValueError) as error:
            return 400, f"the question cannot be understood: {error}"

    def _to_anybody(self, path: str) -> tuple[int, str]:
        if path == "/metrics":
            return 200, self._metrics()
        away = self._ledger.reason if path == "/readyz" else ""
        return (503, f"{away}\n") if away else (200, "ok\n")

    async def _live(self, body: bytes) -> Any:
        told = _document(body)
        by = told.get("by", "model")
        if by not in BY:
            raise ValueError(f"by must be one of {', '.join(BY)}")
        return self._ledger.live.live(by, float(told.get("seconds", 60)), datetime.now(UTC))

    async def _ask(self, body: bytes) -> Any:
        question, parameters = _question(body)
        return await self._ledger.lent(lambda store: store.ask(question, **parameters))

    async def _ask_columns(self, body: bytes) -> Any:
        question, parameters = _question(body)
        return await self._ledger.lent(lambda store: store.ask_columns(question, **parameters))

    async def _append(self, body: bytes) -> Any:
        entries = msgspec.msgpack.decode(body, type=list[Entry])
        return await self._ledger.lent(lambda store: store.append(entries))

    async def _append_audit(self, body: bytes) -> Any:
        events = msgspec.msgpack.decode(body, type=list[AuditEvent])
        return await self._ledger.lent(lambda store: store.append_audit(events))

    async def _append_energy(self, body: bytes) -> Any:
        windows = msgspec.msgpack.decode(body, type=list[EnergyWindow])
        return await self._ledger.lent(lambda store: store.append_energy(windows))

    async def _energy(self, body: bytes) -> Any:
        asked = wire.decode(body)
        return await self._ledger.lent(lambda store: store.energy(asked["since"], asked["until"]))

    async def _append_outcomes(self, body: bytes) -> Any:
        outcomes, revisions = msgspec.msgpack.decode(body, type=tuple[list[Outcome], list[int] | None])
        return await self._ledger.lent(lambda store: store.append_outcomes(outcomes, revisions))

    async def _outcomes(self, body: bytes) -> Any:  # noqa: ARG002 - the shape of all answers
        return await self._ledger.lent(lambda store: store.outcomes())

    async def _entries(self, body: bytes) -> Any:
        told = _document(body)
        after, batch = str(told.get("after", "")), min(int(told.get("batch", 1000)), 10_000)
        return await self._ledger.lent(lambda store: next(store.entries(batch, after), []))

    async def _conversations_of(self, body: bytes) -> Any:
        entry_ids = msgspec.msgpack.decode(body, type=list[str])
        return await self._ledger.lent(lambda store: store.conversations_of(entry_ids))

    async def _purge(self, body: bytes) -> Any:
        which = msgspec.msgpack.decode(body, type=Purge)
        return await self._ledger.lent(lambda store: store.purge(which))

    async def _purge_energy(self, body: bytes) -> Any:
        before = _document(body)["before"]
        return await self._ledger.lent(lambda store: store.purge_energy(before))

    async def _status(self, body: bytes) -> Any:  # noqa: ARG002 - the shape of all answers
        return {"ledger_away": self._ledger.reason, "problems": [str(problem) for problem in self._ledger.problems]}


def _question(body: bytes) -> tuple[str, dict[str, Any]]:
    told = _document(body)
    question, parameters = told["question"], told.get("parameters", {})
    if not isinstance(question, str) or not question.replace("_", "").isalnum() or not isinstance(parameters, dict):
        raise ValueError("there is no such question")
    try:
        question_text(question)
    except FileNotFoundError:
        raise ValueError(f"there is no question '{question}'") from None
    return question, parameters


def _document(body: bytes) -> dict[str, Any]:
    """A question, as MessagePack or as JSON."""
    document = msgspec.json.decode(body) if body[:1] == b"{" else wire.decode(body)
    if not isinstance(document, dict):
        raise ValueError("it is no object")  # noqa: TRY004 - bad data
    return document


async def _body(receive: Callable[[], Awaitable[Message]]) -> bytes:
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False) and size < MOST_BODY_BYTES
    return b"".join(parts)
