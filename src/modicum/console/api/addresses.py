"""The addresses of the API: JSON in, JSON out, behind the same gate as pages, for tokens only."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from modicum.console.access.gate import MOST_FORM_BYTES, OPEN, Gate, viewer_of
from modicum.console.api import operations
from modicum.console.api.documents import Fault
from modicum.console.api.openapi import describe
from modicum.console.api.operations import OPERATIONS, PREFIX, Operation
from modicum.console.asking import Asking
from modicum.console.page import Page

_encoder = msgspec.json.Encoder(decimal_format="number")


class ApiAddresses:
    """What programs reach.

    Args:
        gate: lets requests in.
        asking: asks for whoever it is.
        pages: by name.
    """

    def __init__(self, gate: Gate, asking: Asking, pages: Mapping[str, Page]) -> None:
        self._gate, self._asking, self._pages = gate, asking, pages
        self._description = _encoder.encode(describe(OPERATIONS))

    def routes(self) -> list[Route]:
        for_programs = OPEN._replace(for_programs=True)
        own = [
            self._gate.route(
                f"{PREFIX}{one.path}", self._endpoint(one), one.rule._replace(for_programs=True), one.method
            )
            for one in OPERATIONS
        ]
        return [self._gate.route(f"{PREFIX}/openapi.json", self.describe, for_programs), *own]

    def describe(self, request: Request) -> Response:  # noqa: ARG002 - the shape of all
        return Response(self._description, media_type="application/json")

    def _endpoint(self, one: Operation) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            body = None if one.takes is None else await _read_body(request, one.takes)
            question = operations.ApiRequest(
                self._asking.for_viewer(viewer_of(request)),
                request.path_params,
                request.query_params.multi_items(),
                body,
                self._pages,
            )
            return json_reply(await run_in_threadpool(one.answer, question))

        return answer


def json_reply(document: Any, status: int = 200) -> Response:
    """A document as JSON, or word that there is nothing to say."""
    headers = {"cache-control": "no-store"}
    if document is None:
        return Response(status_code=204, headers=headers)
    return Response(_encoder.encode(document), status, media_type="application/json", headers=headers)


def json_fault(status: int, message: str) -> Response:
    """Why something cannot be done."""
    return json_reply(Fault(status=status, error=message), status)


async def _read_body(request: Request, type_: Any) -> Any:
    """Raises:
    HTTPException: it is no JSON of that shape, or too long.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "send JSON, with 'Content-Type: application/json'")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_FORM_BYTES:
            raise HTTPException(413, f"this is longer than {MOST_FORM_BYTES:,} bytes")
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HTTPException(400, f"the body cannot be understood: {error}") from None
