"""Signature Version 4, made by AWS's own package. Credentials come from where AWS's tools find theirs: the
environment, a profile, a role of the machine.
"""

import asyncio
from time import monotonic
from typing import Any

from modicum.calls.errors import UserError
from modicum.calls.extras import load_extra
from modicum.outbound.keepalive import Header

SERVICE = "bedrock"
KEEP_S = 60.0
"""How long credentials are used before the package is asked again. It renews those that end long before they do."""


class AwsSigner:
    """Signs requests to Bedrock.

    Args:
        region: where it is; empty: as AWS's own settings have it.

    Raises:
        UserError: the package is not installed.
    """

    def __init__(self, region: str) -> None:
        needs = ("bedrock", 'auth = "aws" of an upstream')
        self._auth = load_extra(*needs, "botocore.auth")
        self._request = load_extra(*needs, "botocore.awsrequest").AWSRequest
        self._errors = load_extra(*needs, "botocore.exceptions").BotoCoreError
        self._session = load_extra(*needs, "botocore.session").Session()
        self.region = region or self._session.get_config_variable("region") or ""
        self._source: Any = None
        self._credentials: Any = None
        self._asked_s = 0.0
        self._asking = asyncio.Lock()

    async def headers(self, method: bytes, host: bytes, target: bytes, body: bytes) -> list[Header]:
        """As `Signer.headers`."""
        if self._credentials is None or monotonic() - self._asked_s > KEEP_S:
            async with self._asking:
                if self._credentials is None or monotonic() - self._asked_s > KEEP_S:
                    self._credentials = await asyncio.to_thread(self._find)  # may ask a service of the machine
                    self._asked_s = monotonic()
        url = f"https://{host.decode('ascii')}{target.decode('ascii')}"  # the scheme is no part of what is signed
        request = self._request(method=method.decode("ascii"), url=url, data=body)
        self._auth.SigV4Auth(self._credentials, SERVICE, self.region).add_auth(request)
        return [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in request.headers.items()]

    def _find(self) -> Any:
        try:
            self._source = self._source or self._session.get_credentials()
            if self._source is not None:
                return self._source.get_frozen_credentials()
        except self._errors as error:
            raise UserError(f"AWS's credentials cannot be had: {error}") from None
        raise UserError(
            "no credentials of AWS: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run "
            "where a role gives them"
        )
