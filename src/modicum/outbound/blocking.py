"""One question to one host, and the answer in full: for commands, which have no event loop."""

import http.client
import ssl
from collections.abc import Mapping
from typing import NamedTuple

from modicum.outbound.hosts import Origin
from modicum.outbound.unreachable import OtherProtocol, Unreachable, Untrusted


class WholeReply(NamedTuple):
    status: int
    body: bytes
    retry_after: str = ""
    """The header of that name; empty: it has none."""


def ask(
    origin: Origin,
    method: str,
    target: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    timeout_s: float,
) -> WholeReply:
    """Sends a request over a connection of its own. Connecting may take `timeout_s`, and the host may be silent for
    as long.

    Raises:
        Unreachable: no answer; `Untrusted` or `OtherProtocol` where that is why.
    """
    place = origin.authority.decode("ascii")
    trust = origin.trust
    connection = (
        http.client.HTTPConnection(origin.host, origin.port, timeout=timeout_s)
        if trust is None
        else http.client.HTTPSConnection(origin.host, origin.port, timeout=timeout_s, context=trust)
    )
    try:
        connection.request(method, target, body or None, dict(headers or {}))
        reply = connection.getresponse()
        return WholeReply(reply.status, reply.read(), reply.headers.get("retry-after", ""))
    except ssl.SSLCertVerificationError as error:
        raise Untrusted(f"{place}: {error.verify_message}") from None
    except (ssl.SSLError, http.client.BadStatusLine) as error:
        raise OtherProtocol(f"{place}: {error}") from None
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"{place}: {error}") from None
    finally:
        connection.close()
