"""Where calls go: the upstreams that the settings name, and which of them serves a model.

The caller chooses a model, never a host. Addresses and keys come from the settings alone.
"""

import hashlib
import math
import ssl
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple
from urllib.parse import urlsplit

from modicum.calls.errors import UserError, accepted_are
from modicum.calls.provider_names import provider_of_host, region_of_host
from modicum.gateway.callers.outgoing_headers import NEVER, passes_on
from modicum.gateway.http.refusal import Refused
from modicum.governance.circuits import Circuit
from modicum.outbound.hosts import origin_at, split_address
from modicum.outbound.keepalive import Header
from modicum.outbound.phases import PhaseTimeouts
from modicum.outbound.signing.signer import Signer
from modicum.providers.dialect import DialectApi
from modicum.providers.dialects import DIALECTS
from modicum.providers.translation.translation import Translation
from modicum.providers.translation.translations import TRANSLATIONS, bounded
from modicum.providers.unmetered.dialect import NAME_BEGINS
from modicum.settings import UpstreamSettings

APIS = {dialect.api.name: dialect.api for dialect in DIALECTS.values()}
"""What `speaks` may be."""
CROSSES = {(caller, DIALECTS[into].api.name): into for caller, into in TRANSLATIONS}
"""Dialects that are translated, and into what, by the upstream's API."""


class Upstream:
    """One upstream, ready to be sent to.

    Args:
        key: the provider's key, already read from where the settings say; empty: none.
        trust: an authority of its own; None: those that this machine believes.
        signer: proves who sends a request, where a key alone does not; None: a key does.
    """

    def __init__(
        self,
        name: str,
        settings: UpstreamSettings,
        key: str,
        trust: ssl.SSLContext | None = None,
        signer: Signer | None = None,
    ) -> None:
        try:
            parts = split_address(settings.url)
        except UserError:
            parts = urlsplit("")
        if not parts.hostname or parts.query or parts.fragment:
            raise UserError(f"upstreams.{name}.url '{settings.url}' is no address; write it as https://host/v1")
        if settings.speaks not in APIS:
            raise UserError(f"upstreams.{name}.speaks '{settings.speaks}' is not known; {accepted_are(APIS)}")
        api = APIS[settings.speaks]
        self.name = name
        self.speaks = settings.speaks
        self.models = settings.models
        self.origin = origin_at(settings.url, trust)
        self.base = parts.path.rstrip("/").encode("ascii")
        self.region = region_of_host(parts.hostname)
        self.host_provider = provider_of_host(parts.hostname)
        """Whose host it is; empty: nobody's that is known, whoever bills for it."""
        self.provider = settings.provider or self.host_provider or api.provider
        self.said_provider = settings.provider
        self.own_keys = bool(settings.key and self.host_provider) if settings.own_keys is None else settings.own_keys
        """Whether callers' own keys may go there."""
        self.pass_headers = _checked_names(name, settings.pass_headers)
        self.signer = signer
        self.has_key = bool(key) or signer is not None
        own = f"{parts.hostname}:{self.origin.port}" if not self.provider else ""
        self.server = settings.server or own
        """Whose energy these calls take; empty: nobody's that is watched."""
        self.output_limit = settings.output_limit
        self.most_calls = settings.most_calls
        """How many may be under way there; 0: as the gateway has it for all."""
        self.weight, self.retry_share = settings.weight, settings.retry_share
        self.served_in = settings.region or self.region
        """The region that policies look at; empty: nobody knows."""
        self.timeouts = _timeouts(settings)
        self.circuit = _circuit(settings)
        self.query = b"?api-version=" + settings.api_version.encode("ascii") if settings.api_version else b""
        self.has_deployments = bool(settings.api_version) and self.base.endswith(b"/openai")
        """Whether its paths name deployments, as those of Azure do: .../openai/deployments/NAME/chat/completions."""
        self._other_paths = settings.other_paths
        self._key_header = _key_header(settings, api, key) if key else None

    def passes_on(self, headers: Mapping[bytes, bytes]) -> list[Header]:
        """Headers that go to this upstream because its settings say so."""
        return [
            header
            for header in headers.items()
            if not passes_on(header[0]) and any(fnmatchcase(header[0], pattern) for pattern in self.pass_headers)
        ]

    def check_path(self, path: str) -> None:
        """Whether a path that nobody meters may go there.

        Raises:
            Refused: the settings do not let it.
        """
        if not any(fnmatchcase(path, pattern) for pattern in self._other_paths):
            raise Refused(
                404,
                f"{path[:80]} is not metered, and upstreams.{self.name}.other_paths of modicum.toml lets it not pass",
                "path_not_passed",
            )

    def serves(self, model: str) -> bool:
        return any(fnmatchcase(model, pattern) for pattern in self.models)

    def key_headers(self) -> list[Header]:
        return [self._key_header] if self._key_header is not None else []


class Route(NamedTuple):
    """Where one call goes."""

    upstream: Upstream
    dialect: str
    """The dialect that the upstream is spoken to in."""
    model: str
    """The model's name there."""
    translation: Translation | None = None
    """Where the upstream's dialect is not the caller's."""


class Upstreams:
    """Which upstream serves a model, in which dialect.

    Args:
        aliases: other names for models, as `fast = "openai/gpt-4o-mini"`.
    """

    def __init__(self, upstreams: Sequence[Upstream], aliases: Mapping[str, str]) -> None:
        self._by_name = {upstream.name: upstream for upstream in upstreams}
        self._routes: dict[tuple[str, str], Route] = {}
        self._weighted: dict[tuple[str, str], tuple[Route, ...]] = {}
        self.has_weights = any(upstream.weight for upstream in upstreams)
        """Whether calls for one model go to several."""
        self._aliases: dict[str, tuple[Upstream, str]] = {}
        for alias, target in aliases.items():
            name, _, model = target.partition("/")
            if name not in self._by_name or not model:
                known = ", ".join(self._by_name) or "none"
                raise UserError(f"models.{alias} = '{target}' must be UPSTREAM/MODEL; the upstreams are: {known}")
            self._aliases[alias] = self._by_name[name], model

    def route(self, model: str, dialect: str) -> Route:
        """The upstream for a model that was asked for in a dialect: its alias, then the first that lists it and
        speaks the dialect, then the first that lists it and whose dialect can be translated into.

        Raises:
            Refused: nobody serves it.
        """
        known = self._routes.get((model, dialect))
        if known is None:
            known = self._find_route(model, dialect)
            if len(self._routes) < 10_000:  # names come from callers
                self._routes[model, dialect] = known
        return known

    def spread(self, model: str, dialect: str, key: str) -> Route:
        """As `route`, where upstreams have weights: one of those that could serve the call in the same way. Calls of
        one `key` go to the same one, so that they find the prompt cache that they wrote.

        Raises:
            Refused: nobody serves it.
        """
        known = self._weighted.get((model, dialect))
        if known is None:
            candidates = self._candidates(model)
            known = tuple(
                route
                for route in (_route_to(upstream, name, dialect) for upstream, name in candidates)
                if route is not None and route.upstream.weight
            )
            if any(route.translation is None for route in known):
                known = tuple(route for route in known if route.translation is None)
            if len(self._weighted) < 10_000:  # names come from callers
                self._weighted[model, dialect] = known
        if not known:
            return self.route(model, dialect)
        return max(known, key=lambda route: _drawn(route.upstream, key))

    def target(self, target: str, dialect: str) -> Route:
        """The way to a fallback, `UPSTREAM/MODEL` or an alias.

        Raises:
            Refused: there is none for this API.
        """
        name, _, model = target.partition("/")
        upstream, model = self._aliases.get(target) or (self._by_name.get(name), model)
        route = _route_to(upstream, model, dialect) if upstream is not None else None
        if route is None:
            raise Refused(404, f"'{target}' does not serve this API", "unknown_model")
        return route

    def speaking(self, dialect: str) -> Upstream:
        """The first upstream that speaks a dialect, for requests that name no model.

        Raises:
            Refused: there is none.
        """
        for upstream in self._by_name.values():
            if upstream.speaks == DIALECTS[dialect].api.name:
                return upstream
        raise Refused(404, "no upstream is set for this API", "unknown_path")

    def without_model(self, name: str, dialect: str) -> Route:
        """The way of a call that names no model: `name` is that of its path (`providers/unmetered/dialect.py`).

        Raises:
            Refused: there is none, or its settings do not let such a path pass.
        """
        upstream = self.speaking(dialect)
        if not DIALECTS[dialect].is_metered:
            upstream.check_path(name.removeprefix(NAME_BEGINS))
        return Route(upstream, dialect, name)

    def named(self, name: str, dialect: str) -> Upstream:
        """The upstream of that name; the first that speaks the dialect, where there is none.

        Raises:
            Refused: there is neither.
        """
        return self._by_name.get(name) or self.speaking(dialect)

    def reaches(self, upstream: Upstream, dialect: str) -> bool:
        """Whether calls in that dialect can go to an upstream, translated or not."""
        return _route_to(upstream, "", dialect) is not None

    def aliases(self) -> Iterator[tuple[str, Upstream, str]]:
        """Each other name of a model, with the upstream and the model that it stands for."""
        for alias, (upstream, model) in self._aliases.items():
            yield alias, upstream, model

    def __iter__(self) -> Iterator[Upstream]:
        return iter(self._by_name.values())

    def _candidates(self, model: str) -> list[tuple[Upstream, str]]:
        if model in self._aliases:
            return [self._aliases[model]]
        return [(upstream, model) for upstream in self._by_name.values() if upstream.serves(model)]

    def _find_route(self, model: str, dialect: str) -> Route:
        routes = [_route_to(upstream, name, dialect) for upstream, name in self._candidates(model)]
        present = [route for route in routes if route is not None]
        if not present:
            raise Refused(404, "no upstream serves this model; see [upstreams] in modicum.toml", "unknown_model")
        return next((route for route in present if route.translation is None), present[0])


def _route_to(upstream: Upstream, model: str, dialect: str) -> Route | None:
    """The way to a model of an upstream; None: its API is another, and nothing translates."""
    if upstream.speaks == DIALECTS[dialect].api.name:
        return Route(upstream, dialect, model)
    if crossed := CROSSES.get((dialect, upstream.speaks)):
        return Route(upstream, crossed, model, _translation(dialect, crossed, upstream))
    return None


def _drawn(upstream: Upstream, key: str) -> float:
    """The lot of an upstream for calls of one key: the highest wins, each as often as its weight says, and an upstream
    that joins or leaves moves no other calls than its own (weighted rendezvous hashing).
    """
    digest = hashlib.blake2b(f"{upstream.name}\0{key}".encode("utf-8", "replace"), digest_size=8).digest()
    share = (int.from_bytes(digest, "big") + 0.5) / 2.0**64
    return -upstream.weight / math.log(share) if share < 1 else math.inf


def _timeouts(settings: UpstreamSettings) -> PhaseTimeouts | None:
    timeouts = PhaseTimeouts(settings.connect_s, settings.first_byte_s, settings.silence_s, settings.whole_s)
    return timeouts if any(timeouts) else None


def _circuit(settings: UpstreamSettings) -> Circuit | None:
    if not settings.circuit_share:
        return None
    return Circuit(settings.circuit_share, settings.circuit_calls, settings.circuit_window_s, settings.circuit_open_s)


def _translation(dialect: str, crossed: str, upstream: Upstream) -> Translation:
    return bounded(TRANSLATIONS[dialect, crossed], upstream.output_limit)


def _checked_names(name: str, patterns: Sequence[str]) -> tuple[bytes, ...]:
    """Patterns of headers in small letters.

    Raises:
        UserError: one of them would let pass what may never go upstream.
    """
    found = tuple(pattern.lower().encode("ascii", "replace") for pattern in patterns)
    for pattern in found:
        caught = sorted(header.decode("ascii") for header in NEVER if fnmatchcase(header, pattern))
        if caught:
            raise UserError(
                f"upstreams.{name}.pass_headers: '{pattern.decode('ascii')}' would pass {caught[0]} on, which never "
                "goes upstream; name the headers that should"
            )
    return found


def _key_header(settings: UpstreamSettings, api: DialectApi, key: str) -> Header:
    value = key.encode("ascii", "strict")
    if settings.key_header:
        return settings.key_header.lower().encode("ascii"), value
    return api.key_header, api.key_prefix + value
