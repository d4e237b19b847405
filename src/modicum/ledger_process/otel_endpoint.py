"""Where spans are sent: the settings of `[otel]`, checked, with keys read from where the settings say they are."""

import os
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from modicum.calls import UserError
from modicum.providers.opentelemetry.otel_attributes import Names
from modicum.providers.opentelemetry.otlp_protobuf import messages
from modicum.settings import OtelSettings, secret_at
from modicum.settings.secret import is_place

PROTOCOL = "http/protobuf"
_PATH = "/v1/traces"
_SECRET = re.compile(r"auth|key|token|secret|password|cookie", re.IGNORECASE)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")


class Endpoint(NamedTuple):
    url: str
    headers: Mapping[str, str]
    names: Names = "both"
    service: str = "modicum"
    unsampled: bool = False

    @property
    def shown(self) -> str:
        """The address without what might be a secret in it."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def endpoint_of(settings: OtelSettings, environment: Mapping[str, str] = os.environ) -> Endpoint | None:
    """Where spans go; None: nowhere.

    Raises:
        UserError: a setting is wrong, a header's value is not there, or the extra is not installed.
    """
    if not settings.endpoint:
        return None
    if settings.protocol != PROTOCOL:
        raise UserError(
            f"otel.protocol '{settings.protocol}' is not spoken; modicum sends {PROTOCOL}, which every collector takes"
            " (usually on port 4318, where gRPC has 4317)"
        )
    try:
        parts = urlsplit(settings.endpoint)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise UserError(f"otel.endpoint '{settings.endpoint:.80}' is no web address; write it as http://127.0.0.1:4318")
    messages()
    path = parts.path.rstrip("/")
    url = parts._replace(path=path if path.endswith(_PATH) else path + _PATH, fragment="").geturl()
    headers = {name.lower(): _header(name, value, environment) for name, value in settings.headers.items()}
    return Endpoint(url, headers, settings.names, settings.service, settings.unsampled)


def _header(name: str, value: str, environment: Mapping[str, str]) -> str:
    where = f"otel.headers.{name}"
    if not _HEADER.match(name):
        raise UserError(f"{where} is no name of a header")
    found = secret_at(where, value, environment) if is_place(value) or _SECRET.search(name) else value
    if not found.isprintable() or not found.isascii():
        raise UserError(f"{where}: its value holds what no header may hold")
    return found
