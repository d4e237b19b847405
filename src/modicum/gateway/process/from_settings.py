"""What the gateway makes of its settings."""

from urllib.parse import urlsplit

from modicum.gateway.process.tls import trust_of
from modicum.gateway.upstreams import Upstream, Upstreams
from modicum.outbound.signing.signer import signer_of
from modicum.settings import USUAL_UPSTREAMS, Settings, UpstreamSettings, upstream_key


def upstreams_of(settings: Settings) -> Upstreams:
    """The upstreams that the settings name, with their keys.

    Raises:
        UserError: one of them is wrong.
    """
    named = settings.upstreams or USUAL_UPSTREAMS
    return Upstreams([upstream_of(settings, name, one) for name, one in named.items()], settings.models)


def upstream_of(settings: Settings, name: str, one: UpstreamSettings) -> Upstream:
    """One upstream, with its key or its signer.

    Raises:
        UserError: it is wrong.
    """
    host = urlsplit(one.url).hostname or ""
    signer = signer_of(one.auth, name, host, one.region)
    return Upstream(name, one, upstream_key(name, one), trust_of(settings, name), signer)
