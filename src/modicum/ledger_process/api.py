"""The ledger process's answers over HTTP: JSON for people and programs, MessagePack for modicum's own commands."""

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

import msgspec
import numpy as np

from modicum.calls import Entry, UserError
from modicum.calls.errors import accepted_are
from modicum.ledger.asking.question_files import question_text
from modicum.ledger.record_table import RecordTable
from modicum.ledger.records import RECORDS
from modicum.ledger.store import Purge
from modicum.ledger_process import wire
from modicum.ledger_process.ledger_thread import LedgerThread
from modicum.ledger_process.live import BY

Message = MutableMapping[str, Any]
MOST_BODY_BYTES = 512 * 1024 * 1024

_KEPT = (datetime, Decimal, bytes, np.ndarray)
"""Types that MessagePack and `wire` carry as they are."""
_json = msgspec.json.Encoder(decimal_format="number", order=None)

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class RecordsQuery(msgspec.Struct):
    """Which records somebody asks for, as `Store.records` is asked."""

    since: _Moment | None = None
    until: _Moment | None = None
    after: Any = None
    most: Annotated[int, msgspec.Meta(ge=0)] | None = None


class _Batch(msgspec.Struct):
    """Records that somebody books, as `Store.append_records` takes them."""

    records: msgspec.Raw
    sent_ns: list[int] | None = None


class _Before(msgspec.Struct):
    before: _Moment


class Api:
    """An ASGI application. `/healthz`, `/readyz` and `/metrics` are open; everything else needs the token that
    `console.json` holds.

    Args:
        token: that of `console.json`.
        metrics: the metrics as text, with figures of owners or without.
        metrics_token: opens figures of owners in `/metrics`, beside the other token; empty: none does.
    """

    def __init__(
        self, ledger: LedgerThread, token: str, metrics: Callable[[bool], str], metrics_token: str = ""
    ) -> None:
        self._ledger = ledger
        self._token, self._metrics_token = token, metrics_token
        self._metrics = metrics
        self.raise_test: Callable[[], None] = _raise_nothing
        """Raises a test alert in this process: a line of its log, and one in its metrics."""
        self._answers: dict[str, Callable[[bytes], Awaitable[Any]]] = {
            "live": self._live,
            "ask": self._ask,
            "ask-columns": self._ask_columns,
            "append": self._append,
            "conversations-of": self._conversations_of,
            "entries": self._entries,
            "purge": self._purge,
            "purge-records": self._purge_records,
            "status": self._status,
            "test-alert": self._test_alert,
        }
        self._table_answers: dict[str, Callable[[RecordTable[Any], bytes], Awaitable[Any]]] = {
            "append": self._append_records,
            "records": self._records,
        }
        """Behind these stands the name of a table: `/api/append/outcomes`."""

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
            return self._to_anybody(path, _token_of(headers))
        answer = self._find_answer(path) if method == "POST" else None
        if answer is None:
            return 404, "nothing is served here\n"
        if not hmac.compare_digest(_token_of(headers), self._token.encode()):
            return 401, "the token of console.json is needed\n"
        body = await _body(receive)
        try:
            return 200, await answer(body)
        except UserError as error:
            return 503, str(error)
        except (msgspec.DecodeError, msgspec.ValidationError, KeyError, ValueError) as error:
            return 400, f"the question cannot be understood: {error}"

    def _find_answer(self, path: str) -> Callable[[bytes], Awaitable[Any]] | None:
        if not path.startswith("/api/"):
            return None
        name, _, table_name = path.removeprefix("/api/").partition("/")
        if not table_name:
            return self._answers.get(name)
        table_answer, table = self._table_answers.get(name), RECORDS.get(table_name)
        return None if table_answer is None or table is None else partial(table_answer, table)

    def _to_anybody(self, path: str, token: bytes) -> tuple[int, str]:
        if path == "/metrics":
            if token and not self._opens_owners(token):
                return 401, "this is not the token of metrics.token; without any there are figures without owners\n"
            return 200, self._metrics(bool(token))
        away = self._ledger.reason if path == "/readyz" else ""
        return (503, f"{away}\n") if away else (200, "ok\n")

    def _opens_owners(self, token: bytes) -> bool:
        tokens = [one.encode() for one in (self._token, self._metrics_token) if one]
        return any(hmac.compare_digest(token, one) for one in tokens)

    async def _live(self, body: bytes) -> Any:
        question = _document(body)
        by = question.get("by", "model")
        if by not in BY:
            raise ValueError(f"by is {by!r:.40}; {accepted_are(BY)}")
        named = msgspec.convert(question.get("where", []), list[tuple[str, str]])
        return self._ledger.live.live(by, float(question.get("seconds", 60)), datetime.now(UTC), named)

    async def _ask(self, body: bytes) -> Any:
        question, parameters = _question(body)
        return await self._ledger.lend(lambda store: store.ask(question, **parameters))

    async def _ask_columns(self, body: bytes) -> Any:
        question, parameters = _question(body)
        return await self._ledger.lend(lambda store: store.ask_columns(question, **parameters))

    async def _append(self, body: bytes) -> Any:
        entries = msgspec.msgpack.decode(body, type=list[Entry])
        return await self._ledger.lend(lambda store: store.append(entries))

    async def _append_records(self, table: RecordTable[Any], body: bytes) -> Any:
        decode = msgspec.json.decode if body[:1] == b"{" else msgspec.msgpack.decode
        batch = decode(body, type=_Batch)
        records = table.decode(bytes(batch.records))
        return await self._ledger.lend(lambda store: store.append_records(table, records, batch.sent_ns))

    async def _records(self, table: RecordTable[Any], body: bytes) -> Any:
        query = msgspec.convert(_document(body), RecordsQuery)
        after = None if query.after is None else table.convert([query.after])[0]
        return await self._ledger.lend(
            lambda store: store.records(table, query.since, query.until, after=after, most=query.most)
        )

    async def _entries(self, body: bytes) -> Any:
        page = _document(body)
        after, batch = str(page.get("after", "")), min(int(page.get("batch", 1000)), 10_000)
        return await self._ledger.lend(lambda store: next(store.entries(batch, after), []))

    async def _conversations_of(self, body: bytes) -> Any:
        entry_ids = msgspec.msgpack.decode(body, type=list[str])
        return await self._ledger.lend(lambda store: store.conversations_of(entry_ids))

    async def _purge(self, body: bytes) -> Any:
        which = msgspec.msgpack.decode(body, type=Purge)
        return await self._ledger.lend(lambda store: store.purge(which))

    async def _purge_records(self, body: bytes) -> Any:
        before = msgspec.convert(_document(body), _Before).before
        return await self._ledger.lend(lambda store: store.purge_records(before))

    async def _test_alert(self, body: bytes) -> Any:  # noqa: ARG002 - the shape of all answers
        self.raise_test()
        return {}

    async def _status(self, body: bytes) -> Any:  # noqa: ARG002 - the shape of all answers
        return {"ledger_away": self._ledger.reason, "problems": [str(problem) for problem in self._ledger.problems]}


def _raise_nothing() -> None:
    raise UserError("this process raises no alerts")


def _token_of(headers: dict[bytes, bytes]) -> bytes:
    return headers.get(b"authorization", b"").removeprefix(b"Bearer ").strip()


def _question(body: bytes) -> tuple[str, dict[str, Any]]:
    document = _document(body)
    question, parameters = document["question"], document.get("parameters", {})
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
