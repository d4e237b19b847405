"""What the gateway makes of its settings."""

from modicum.gateway.process.tls import trust_of
from modicum.gateway.upstreams import Upstream, Upstreams
from modicum.settings import USUAL_UPSTREAMS, Settings, upstream_key


def upstreams_of(settings: Settings) -> Upstreams:
    """The upstreams that the settings name, with their keys.

    Raises:
        UserError: one of them is wrong.
    """
    named = settings.upstreams or USUAL_UPSTREAMS
    return Upstreams(
        [Upstream(name, one, upstream_key(name, one), trust_of(settings, name)) for name, one in named.items()],
        settings.models,
    )
