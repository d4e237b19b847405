"""Where spans are sent: the settings of `[otel]`, checked, with keys read from where the settings say they are."""

import os
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from modicum.calls import UserError
from modicum.providers.opentelemetry.otel_attributes import Names
from modicum.providers.opentelemetry.otlp_protobuf import messages
from modicum.settings import OtelSettings
from modicum.settings.secret import header_at

PROTOCOL = "http/protobuf"
_PATH = "/v1/traces"


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
    headers = {
        name.lower(): header_at(f"otel.headers.{name}", name, value, environment)
        for name, value in settings.headers.items()
    }
    return Endpoint(url, headers, settings.names, settings.service, settings.unsampled)
