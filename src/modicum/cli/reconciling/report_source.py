"""Reports of providers, asked of their APIs with the key of an administrator and laid down as files, page by page."""

import random
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.governance.resilience import (
    Failure,
    FailureKind,
    ResiliencePolicy,
    StepKind,
    failure_of_status,
    next_step,
    parse_retry_after,
)
from modicum.outbound.blocking import WholeReply, ask
from modicum.outbound.hosts import Origin, origin_at
from modicum.outbound.unreachable import Unreachable, Untrusted
from modicum.reports.reconciliation.report_requests import ReportRequest, admin_headers, next_page, report_requests

TIMEOUT_S = 60.0
MOST_PAGES = 1_000
OK, REFUSED = 200, (401, 403)
POLICY = ResiliencePolicy(name="reports", retries=3, first_wait_s=1.0, most_wait_s=60.0)


class ReportSource:
    """A provider's organisation API.

    Args:
        provider: `openai` or `anthropic`.
        url: its address; a path is put before those of the API.
        key: of an administrator; it stands in no message and no file.
        wait: sleeps for so many seconds.
    """

    def __init__(self, provider: str, url: str, key: str, wait: Callable[[float], None] = time.sleep) -> None:
        self.provider, self._url, self._wait = provider, url, wait
        self._origin: Origin = origin_at(url)
        self._base = urlsplit(url).path.rstrip("/").removesuffix("/v1")
        self._headers = {**admin_headers(provider, key), "user-agent": "modicum"}

    def fetch(self, folder: Path, first: date, until: date, *, with_keys: bool) -> list[Path]:
        """The pages of all reports, a file each.

        Raises:
            UserError: it does not answer, refuses the key, or gives what is no page.
        """
        requests = report_requests(self.provider, first, until, with_keys=with_keys)
        return [path for request in requests for path in self._pages(request, folder)]

    def _pages(self, request: ReportRequest, folder: Path) -> list[Path]:
        paths: list[Path] = []
        marks = {""}
        mark = ""
        while len(paths) < MOST_PAGES:
            reply = self._answer(request, mark)
            page = _object(reply.body)
            if page is None or not isinstance(page.get("data"), list):
                raise UserError(f"{self._shown(request)} gives no page of a report; is {self._url} the right address?")
            path = folder / f"{request.name}-{len(paths) + 1:03}.json"
            path.write_bytes(reply.body)
            paths.append(path)
            mark = next_page(page)
            if not mark:
                return paths
            if mark in marks:
                break
            marks.add(mark)
        raise UserError(
            f"{self._shown(request)} comes to no end after {number_of(len(paths), 'page')}; ask for fewer days "
            "(--since, --until)"
        )

    def _answer(self, request: ReportRequest, mark: str) -> WholeReply:
        """A reply with status 200, after as many tries as are worth it."""
        target, retries = self._base + request.target(mark), 0
        while True:
            reply, failure, reason = self._try(target)
            if reply is not None and reply.status == OK:
                return reply
            if failure is None:
                raise UserError(f"{self._shown(request)} {reason}")
            step = next_step(
                POLICY,
                failure,
                retries_made=retries,
                fallbacks_left=0,
                retries_saved=POLICY.retries,
                chance=random.random(),  # noqa: S311 - no secret: that callers do not come all at once
            )
            if step.kind is not StepKind.RETRY:
                tried = f" ({number_of(retries + 1, 'try', 'tries')})" if retries else ""
                raise UserError(f"{self._shown(request)} {reason}{tried}; run it again later")
            self._wait(step.wait_s)
            retries += 1

    def _try(self, target: str) -> tuple[WholeReply | None, Failure | None, str]:
        """What came, what failed if another try may help, and why in words."""
        try:
            reply = ask(self._origin, "GET", target, headers=self._headers, timeout_s=TIMEOUT_S)
        except Untrusted as error:
            return None, None, f"is not believed: {error}"
        except Unreachable as error:
            return None, Failure(FailureKind.CONNECT), f"does not answer: {error}"
        retry_after_s = parse_retry_after(reply.retry_after, "", time.time())
        reason = f"answers {reply.status}{_message(reply.body)}"
        if reply.status in REFUSED:
            reason += "; it needs the key of an administrator of the organisation, with the right to read usage"
        return reply, failure_of_status(reply.status, "", retry_after_s), reason

    def _shown(self, request: ReportRequest) -> str:
        return f"{self._origin.authority.decode()}{self._base}{request.path}"


def _message(body: bytes) -> str:
    page = _object(body) or {}
    error = page.get("error")
    text = error.get("message") if isinstance(error, dict) else None
    return f" ({' '.join(text.split())[:200]})" if isinstance(text, str) and text.strip() else ""


def _object(body: bytes) -> dict[str, object] | None:
    try:
        document = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
