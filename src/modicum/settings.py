"""One typed table of settings. Read once, at the top; below, values are arguments.

`modicum.toml` is looked for in `$MODICUM_CONFIG`, the current folder, and the user's configuration folder; the first
that exists counts. Every setting has a default.
"""

import os
import re
import socket
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from modicum.calls import UserError
from modicum.calls.regular_file import read_regular

FILE_NAME = "modicum.toml"
MOST_WORKERS = 64
_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*")
_ORIGIN = re.compile(
    r"(?!http://[^:]+:80$|https://[^:]+:443$)[a-z][a-z0-9+.-]*://(?:[a-z0-9_](?:[a-z0-9._-]*)|\[[0-9a-f:]+\])(?::[0-9]{1,5})?"
)


class UpstreamSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[upstreams.NAME]`: a provider, or a server of your own, that calls may go to."""

    url: str
    """Its address up to the version: https://api.openai.com/v1, https://api.anthropic.com/v1."""
    speaks: Literal["openai", "anthropic", "gemini"]
    """The API that it has."""
    key: str = ""
    """Where its key is: `env:OPENAI_API_KEY` or `file:/run/secrets/openai`. Empty: none is sent."""
    key_header: str = ""
    """The header that carries the key, where it is not the usual one (Azure: api-key)."""
    own_keys: bool | None = None
    """Whether callers without a modicum key may send their own key there. Not set: yes at a known provider's host for
    which a key is set here, else no."""
    pass_headers: tuple[str, ...] = ()
    """Headers of requests that go there beside those that go to every upstream, as patterns: x-tenant, x-acme-*."""
    models: tuple[str, ...] = ("*",)
    """The models that it serves, as patterns: gpt-*, o3*."""
    provider: str = ""
    """Who bills for it, by the id of genai-prices (openai, azure, groq, ...). Empty: told from the address."""
    api_version: str = ""
    """Sent as `?api-version=`, which some Azure addresses want."""
    ca_file: str = ""
    """The authority that its certificate comes from, as PEM, where that is one of your own. Then no other is believed
    there."""
    output_limit: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    """What an `openai` upstream calls the bound on a reply, for calls that are translated to it; some servers know
    only max_tokens."""
    most_calls: int = 0
    """How many calls may be under way there at once. 0: three quarters of `gateway.most_calls`, so that an upstream
    that hangs leaves room for the others."""
    server: str = ""
    """Host and port of the watched server that answers (`modicum energy watch`), so that its energy is shared out to
    these calls. Empty: the upstream's own, if nobody else bills for it."""


class GatewaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[gateway]`"""

    listen: str = "127.0.0.1:4000"
    """Host and port. Anything but this machine itself only if you write it here."""
    hosts: tuple[str, ...] = ()
    """Other names under which it is called, as llm.example.com: those that a proxy in front of it passes on, say."""
    cors_origins: tuple[str, ...] = ()
    """Origins of the pages that may call it from a browser, as https://app.example.com. None: no page of another."""
    tls_certificate_file: str = ""
    """The certificate that callers are shown, with what leads to its authority, as PEM. Empty: nothing is encrypted."""
    tls_key_file: str = ""
    """Its private key, as PEM and without a passphrase. Empty: it stands in the certificate's file."""
    own_keys: bool = True
    """Whether a caller without a modicum key may use its own provider key, at upstreams that take it
    (`upstreams.NAME.own_keys`). The gateway's keys are never used for it."""
    anatomy: bool = True
    """Whether the parts of each context are digested and counted. No text is kept."""
    most_body_mb: int = 64
    """The largest request."""
    most_bodies_mb: int = 0
    """How much the requests that are under way may have together. 0: an eighth of the memory."""
    most_calls: int = 4000
    """How many calls may be under way at once."""
    silence_s: float = 600.0
    """How long an upstream may say nothing within a reply."""
    workers: int = 1
    """How many gateway processes share the port. Each uses one core."""
    slow_client_s: float = 60.0
    """How long a caller may take to send its request, or stop reading its reply."""
    drain_s: float = 30.0
    """How long calls under way may go on after SIGTERM."""


class ConsoleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[console]`"""

    listen: str = "127.0.0.1:4100"


class OtelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[otel]`: finished calls as spans, sent to a collector or a tracing service."""

    endpoint: str = ""
    """Its address, as http://127.0.0.1:4318; `/v1/traces` is put behind it. Empty: nothing is sent."""
    headers: dict[str, str] = {}
    """Sent with every request; a key as `env:NAME` or `file:PATH`."""
    protocol: str = "http/protobuf"
    """The only one."""
    names: Literal["new", "old", "both"] = "both"
    """Which names of the GenAI conventions the attributes have."""
    service: str = "modicum"
    """The `service.name` under which spans are sent."""
    unsampled: bool = False
    """Whether calls are sent whose caller does not record its trace."""


class TeamSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[teams.NAME]`: a plan that the gateway applies to calls whose headers name this team of agents."""

    plan: str
    """The plan's file, as `modicum team propose --out` writes it. A relative path counts from the settings file."""
    dropped: Literal["answer", "refuse"] = "answer"
    """What a call of a stopped agent gets: an empty reply in the provider's place, or an error (403)."""
    reply: str = ""
    """What stands in that reply, for programs that take no empty one. It is taken out of all prompts again."""
    answer: str = ""
    """A regular expression with one group that takes the short answer out of a reply, as `ANSWER: (.+)`. Empty: the
    whole reply is the answer."""
    marks: tuple[str, ...] = ()
    """How prompts say whose message it is where the API has no field for it, as `{agent}: ` or `[{agent}] `."""
    outcome: str = ""
    """Which outcome of `POST /outcomes` grades runs. Empty: whichever comes first for a run."""
    margin: float = 0.02
    """The loss of outcome that is accepted; a plan that proves worse against its canaries is given up."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ledger: str = ""
    """Where the ledger is: a path, or clickhouse://user:password@host:port/database. Empty: a file in the user's data
    folder."""
    prices: str = ""
    """A file with your own prices (see docs/prices.md). Empty: `prices.toml` beside the settings or in the
    configuration folder, if there is one."""
    timezone: str = "UTC"
    """The zone in which days and weeks are cut, as `Europe/Berlin`."""
    keep_days: int = 0
    """Entries older than this are forgotten at the next import. 0: they are kept."""
    gateway: GatewaySettings = GatewaySettings()
    console: ConsoleSettings = ConsoleSettings()
    otel: OtelSettings = OtelSettings()
    upstreams: dict[str, UpstreamSettings] = {}
    """Where calls may go, in the order in which a model is looked for. None: OpenAI, Anthropic and Gemini."""
    models: dict[str, str] = {}
    """Other names for models: fast = "openai/gpt-4o-mini"."""
    teams: dict[str, TeamSettings] = {}
    """Teams of agents whose plans the gateway applies."""
    file: str = ""
    """The file that the settings came from. Not set by hand."""


def data_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("modicum", appauthor=False))


def cache_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("modicum", appauthor=False))


def config_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_config_dir("modicum", appauthor=False))


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that apply here.

    Raises:
        UserError: the file cannot be read or holds a wrong value; the message names file, line and what is accepted.
    """
    path = _file(environment)
    if path is None:
        return Settings()
    try:
        text = read_regular(path).decode("utf-8")
        document = tomllib.loads(text)
        settings = msgspec.convert(document | {"file": str(path)}, Settings)
    except FileNotFoundError:
        raise UserError(
            f"{path}: there is no such settings file, and MODICUM_CONFIG names it: bring it back, or unset that"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: no valid TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise UserError(f"{path}{_line(text, str(error))}: {error}; accepted are {_accepted(str(error))}") from None
    _check(settings, path, text)
    return settings


USUAL_UPSTREAMS = {
    "openai": UpstreamSettings(
        url="https://api.openai.com/v1",
        speaks="openai",
        key="env:OPENAI_API_KEY",
        own_keys=True,
        models=("gpt-*", "chatgpt-*", "o1*", "o3*", "o4*", "codex-*", "text-embedding-*"),
    ),
    "anthropic": UpstreamSettings(
        url="https://api.anthropic.com/v1",
        speaks="anthropic",
        key="env:ANTHROPIC_API_KEY",
        own_keys=True,
        models=("claude-*",),
    ),
    "gemini": UpstreamSettings(
        url="https://generativelanguage.googleapis.com/v1beta",
        speaks="gemini",
        key="env:GEMINI_API_KEY",
        own_keys=True,
        models=("gemini-*", "gemma-*"),
    ),
}
"""Where calls go if the settings name no upstream."""


def upstream_key(name: str, settings: UpstreamSettings, environment: Mapping[str, str] = os.environ) -> str:
    """The key of an upstream, from where the settings say it is; empty if they say nowhere, or it is not set there.

    Raises:
        UserError: it is written in the settings themselves, or its file cannot be read.
    """
    kind, _, place = settings.key.partition(":")
    if not settings.key:
        return ""
    if kind == "env" and place:
        return environment.get(place, "").strip()
    if kind == "file" and place:
        try:
            return Path(place).expanduser().read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"upstreams.{name}.key: {place} cannot be read: {error}") from None
    raise UserError(f"upstreams.{name}.key must say where the key is: env:NAME or file:PATH, not the key itself")


def host_and_port(setting: str, address: str) -> tuple[str, int]:
    """`127.0.0.1:4000` in its parts.

    Raises:
        UserError: it is no such address.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise UserError(f"{setting} '{address}' is no address to listen on; write it as 127.0.0.1:4000")
    return host.strip("[]"), int(port)


def host_name(text: str) -> str | None:
    """A host's name or address in the one way of writing it; None: it is none, but an address with a port, say."""
    try:
        return str(ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        name = text.lower().removesuffix(".")
        return name if _HOST_NAME.fullmatch(name) else None


def listening(setting: str, address: str) -> socket.socket:
    """A socket bound to an address that was set, so that a taken one is told in our words.

    Raises:
        UserError: it is no address, or somebody else listens there.
    """
    host, port = host_and_port(setting, address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise UserError(f"{setting}: {address} cannot be listened on: {error.strerror}") from None
    return bound


def state_folder() -> Path:
    """Where the gateway keeps its journal, the keys' digests and what else must outlive a process."""
    return data_folder() / "gateway"


def ledger_place(settings: Settings) -> str:
    """The ledger's URL or path, with the default filled in. A relative path counts from the settings file."""
    if not settings.ledger:
        return str(data_folder() / "ledger.duckdb")
    if "://" in settings.ledger or not settings.file:
        return settings.ledger
    return str(Path(settings.file).parent / Path(settings.ledger).expanduser())


def price_file_place(settings: Settings) -> Path | None:
    """The user's price file: the one that is set, or the first usual one that exists."""
    beside = Path(settings.file).parent if settings.file else Path()
    if settings.prices:
        return beside / Path(settings.prices).expanduser()
    usual = [beside / "prices.toml"] if settings.file else []
    usual.append(config_folder() / "prices.toml")
    return next((path for path in usual if path.is_file()), None)


def beside_settings(settings: Settings, path: str) -> Path:
    """A path of the settings; a relative one counts from their file."""
    return (Path(settings.file).parent if settings.file else Path()) / Path(path).expanduser()


def place_of(settings: Settings, table: str, key: str) -> str:
    """Where a setting stands, as `modicum.toml:7: gateway.tls_key_file`, for what is checked later than the rest."""
    name = f"{table}.{key}"
    try:
        lines = Path(settings.file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return name
    inside = ""
    for number, line in enumerate(lines, 1):
        plain = line.strip().replace('"', "").replace("'", "")
        if plain.startswith("["):
            inside = plain.partition("]")[0].strip("[] ")
        elif f"{inside}.{plain.partition('=')[0].strip()}".removeprefix(".") == name:
            return f"{settings.file}:{number}: {name}"
    return f"{settings.file}: {name}"


def checked_zone(name: str) -> ZoneInfo:
    """The time zone of that name.

    Raises:
        UserError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UserError(f"there is no time zone '{name}'; give one as Europe/Berlin or UTC") from None


def _file(environment: Mapping[str, str]) -> Path | None:
    if named := environment.get("MODICUM_CONFIG"):
        return Path(named)
    return next((path for path in (Path(FILE_NAME), config_folder() / FILE_NAME) if path.is_file()), None)


def _check(settings: Settings, path: Path, text: str) -> None:
    try:
        checked_zone(settings.timezone)
    except UserError as error:
        raise UserError(f"{path}{_line(text, 'timezone')}: {error}") from None
    if not 1 <= settings.gateway.workers <= MOST_WORKERS:
        raise UserError(f"{path}{_line(text, 'workers')}: workers is a number from 1 to {MOST_WORKERS}")
    _check_loads(settings, path, text)
    if settings.keep_days < 0:
        raise UserError(f"{path}{_line(text, 'keep_days')}: keep_days is a number of days, or 0 to keep all")
    if (wrong := _gateway_fault(settings.gateway)) is not None:
        key, accepted = wrong
        raise UserError(f"{path}{_line(text, key)}: gateway.{key} {accepted}")
    for name, team in settings.teams.items():
        fault = _team_fault(team)
        if fault is not None:
            key, accepted = fault
            raise UserError(f"{path}{_line(text, key)}: teams.{name}.{key} must be {accepted}")


def _check_loads(settings: Settings, path: Path, text: str) -> None:
    """What the gateway takes on at once."""
    gateway = settings.gateway
    for key in ("most_body_mb", "most_calls"):
        if getattr(gateway, key) < 1:
            raise UserError(f"{path}{_line(text, key)}: gateway.{key} is a number, 1 or more")
    if gateway.most_bodies_mb != 0 and gateway.most_bodies_mb < gateway.most_body_mb:
        raise UserError(
            f"{path}{_line(text, 'most_bodies_mb')}: gateway.most_bodies_mb is a number of megabytes, at least "
            f"most_body_mb ({gateway.most_body_mb}), or 0 for an eighth of the memory"
        )
    for name, upstream in settings.upstreams.items():
        if not 0 <= upstream.most_calls <= gateway.most_calls:
            raise UserError(
                f"{path}: upstreams.{name}.most_calls is a number from 1 to gateway.most_calls "
                f"({gateway.most_calls:,}), or 0 for three quarters of them"
            )


def _gateway_fault(gateway: GatewaySettings) -> tuple[str, str] | None:
    """The setting that is wrong, and what it must be."""
    for host in gateway.hosts:
        if host_name(host) is None:
            return "hosts", f"holds '{host}'; it takes names without scheme, port and '*', as 'llm.example.com'"
    if gateway.tls_key_file and not gateway.tls_certificate_file:
        return "tls_key_file", "is of no use without tls_certificate_file"
    for origin in gateway.cors_origins:
        if not _ORIGIN.fullmatch(origin):
            return "cors_origins", (
                f"holds '{origin}'; it takes origins as browsers write them, in small letters, without path, usual "
                "port or '*', as 'https://app.example.com' or 'http://localhost:5173'"
            )
    return None


def _team_fault(team: TeamSettings) -> tuple[str, str] | None:
    """The setting that is wrong, and what it must be."""
    try:
        groups = re.compile(team.answer).groups if team.answer else 1
    except re.error:
        groups = 0
    if groups != 1:
        return "answer", "a regular expression with one group, as 'ANSWER: (.+)'"
    if not all("{agent}" in mark and mark.strip() != "{agent}" for mark in team.marks):
        return "marks", "texts that hold {agent} and something beside it, as '{agent}: '"
    if not 0 <= team.margin <= 1:
        return "margin", "a share in 0..1"
    return None


def _line(text: str, message: str) -> str:
    """`:3`, where the message names a key that stands on line 3."""
    for number, line in enumerate(text.splitlines(), 1):
        key = line.partition("=")[0].strip()
        if key and not key.startswith("#") and (f"`{key}`" in message or f".{key}`" in message or key == message):
            return f":{number}"
    return ""


def _accepted(message: str) -> str:
    """The names and types of the table that a message of msgspec is about."""
    table: Any = Settings
    for place, type_ in _TABLES.items():
        if place in message:
            table = type_
    fields = msgspec.structs.fields(table)
    return ", ".join(
        f"{field.name} ({getattr(field.type, '__name__', field.type)})" for field in fields if field.name != "file"
    )


_TABLES = {
    "$.gateway": GatewaySettings,
    "$.console": ConsoleSettings,
    "$.otel": OtelSettings,
    "$.upstreams[": UpstreamSettings,
    "$.teams[": TeamSettings,
}
