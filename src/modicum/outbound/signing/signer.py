"""What a signer does, and which one an upstream has."""

import re
from typing import Protocol

from modicum.calls.errors import UserError
from modicum.outbound.keepalive import Header
from modicum.outbound.signing.aws import AwsSigner
from modicum.outbound.signing.google import GoogleSigner

_AWS_HOST = re.compile(r"\.([a-z]{2,4}(?:-[a-z]+)+-\d+)\.(?:vpce\.)?amazonaws\.(?:com|com\.cn|eu)\Z")


class Signer(Protocol):
    """Proves who sends a request."""

    async def headers(self, method: bytes, host: bytes, target: bytes, body: bytes) -> list[Header]:
        """What is sent beside the request's own headers. `host` as in its header, `target` as it is sent.

        Raises:
            UserError: there are no credentials, or none that are valid; says what to do.
        """


def signer_of(auth: str, name: str, host: str, region: str) -> Signer | None:
    """The signer of an upstream; None: it has a key.

    Args:
        auth: `key`, `aws` or `google`, as the settings have it.
        name: the upstream's.
        host: of its address.
        region: where it is served, as the settings say; empty: its host's name or AWS's own settings say it.

    Raises:
        UserError: a package is missing, or nobody says for which region to sign.
    """
    if auth == "google":
        return GoogleSigner()
    if auth != "aws":
        return None
    found = _AWS_HOST.search(host)
    signer = AwsSigner(region or (found[1] if found else ""))
    if not signer.region:
        raise UserError(
            f"upstreams.{name}: for which region requests are signed is not known; set upstreams.{name}.region"
        )
    return signer
