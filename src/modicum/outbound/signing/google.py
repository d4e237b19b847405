"""Access tokens of Google Cloud, had by Google's own package. Credentials come from where Google's tools find theirs
(application default credentials): GOOGLE_APPLICATION_CREDENTIALS, `gcloud auth application-default login`, the machine.
"""

import asyncio
from typing import Any

from modicum.calls.errors import UserError
from modicum.calls.extras import load_extra
from modicum.outbound.keepalive import Header

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class GoogleSigner:
    """Sends an access token, renewed before it ends.

    Raises:
        UserError: the package is not installed.
    """

    def __init__(self) -> None:
        needs = ("vertex", 'auth = "google" of an upstream')
        self._auth = load_extra(*needs, "google.auth")
        self._fresh = load_extra(*needs, "google.auth.credentials").TokenState.FRESH
        self._errors = load_extra(*needs, "google.auth.exceptions").GoogleAuthError
        self._transport = load_extra(*needs, "google.auth.transport.requests").Request
        self._credentials: Any = None
        self._renewing = asyncio.Lock()

    async def headers(self, method: bytes, host: bytes, target: bytes, body: bytes) -> list[Header]:  # noqa: ARG002 - a token is for all
        """As `Signer.headers`."""
        if not self._is_fresh():
            async with self._renewing:
                if not self._is_fresh():
                    await asyncio.to_thread(self._renew)
        credentials = self._credentials
        headers = [(b"authorization", f"Bearer {credentials.token}".encode("ascii"))]
        if project := getattr(credentials, "quota_project_id", None):
            headers.append((b"x-goog-user-project", project.encode("ascii")))
        return headers

    def _is_fresh(self) -> bool:
        return self._credentials is not None and self._credentials.token_state is self._fresh

    def _renew(self) -> None:
        try:
            if self._credentials is None:
                self._credentials, _ = self._auth.default(scopes=[SCOPE])
            self._credentials.refresh(self._transport())
        except self._errors as error:
            raise UserError(f"Google's credentials cannot be had: {error}") from None
