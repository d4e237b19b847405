"""Under which names the gateway is spoken to.

A page on the web can have its own name point to this machine and then speak to what listens here as to itself. It
cannot choose the `Host` that its reader's browser sends, so a name that is not ours gives it away.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from modicum.settings import GatewaySettings, host_and_port, host_name

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_MOST_REMEMBERED = 100


class HostNames:
    """The names under which the gateway answers, against pages that rebind a name to this machine.

    Args:
        names: those that are ours; None: any.
        addresses: whether an address is always ours. It can be no other name that was pointed here.
    """

    def __init__(self, names: frozenset[str] | None, *, addresses: bool = False) -> None:
        self._names, self._addresses = names, addresses
        self._answers: dict[bytes, bool] = {}

    def include(self, host: bytes) -> bool:
        """Whether a `Host` header is ours. Remembered for the few that are used; a caller cannot fill memory."""
        ours = self._names is None or self._answers.get(host)
        if ours is None:
            ours = self._check(host)
            if len(self._answers) < _MOST_REMEMBERED:
                self._answers[host] = ours
        return ours

    def _check(self, host: bytes) -> bool:
        try:
            name = host_name(urlsplit(b"//" + host).hostname.decode("ascii"))  # type: ignore[union-attr]
        except (AttributeError, ValueError):
            return False
        return name in (self._names or ()) or (self._addresses and name is not None and _is_address(name))


def names_of(settings: GatewaySettings) -> HostNames:
    """This machine's own names if only this machine can call, and those that the settings list. A gateway that others
    can call goes by any name until the settings list some.
    """
    host, _ = host_and_port("gateway.listen", settings.listen)
    listed = {name for text in settings.hosts if (name := host_name(text)) is not None}
    if host in LOOPBACK:
        return HostNames(LOOPBACK | listed)
    return HostNames(LOOPBACK | listed | {host.lower()} if listed else None, addresses=True)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
