"""Secrets that the settings name and never hold: `env:NAME` or `file:PATH`."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from modicum.calls import UserError

_SECRET = re.compile(r"auth|key|token|secret|password|cookie", re.IGNORECASE)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")


def is_place(value: str) -> bool:
    """Whether a setting says where a secret is, and is not the secret itself."""
    kind, _, place = value.partition(":")
    return kind in {"env", "file"} and bool(place)


def secret_at(name: str, value: str, environment: Mapping[str, str] = os.environ) -> str:
    """The secret at a place.

    Args:
        name: of the setting, for messages.
        value: the setting: `env:NAME` or `file:PATH`.
        environment: where the first is looked up.

    Raises:
        UserError: it is not there, or the setting is no such place.
    """
    kind, _, place = value.partition(":")
    if not is_place(value):
        raise UserError(f"{name} must say where its value is: env:NAME or file:PATH, not the value itself")
    if kind == "env":
        secret = environment.get(place, "").strip()
        if not secret:
            raise UserError(f"{name}: {place} is not set in the environment")
        return secret
    try:
        secret = Path(place).expanduser().read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{name}: {place} cannot be read: {error}") from None
    if not secret:
        raise UserError(f"{name}: {place} is empty")
    return secret


def header_at(where: str, name: str, value: str, environment: Mapping[str, str] = os.environ) -> str:
    """The value of a header that the settings name, or say the place of.

    Args:
        where: of the setting, for messages.
        name: the header's.
        value: what the setting says; of a header that carries a secret only its place.
        environment: where `env:NAME` is looked up.

    Raises:
        UserError: the name or the value is none of a header, or the value is a secret and stands in the settings.
    """
    if not _HEADER.match(name):
        raise UserError(f"{where} is no name of a header")
    header = secret_at(where, value, environment) if is_place(value) or _SECRET.search(name) else value
    if not header.isprintable() or not header.isascii():
        raise UserError(f"{where}: its value holds what no header may hold")
    return header
