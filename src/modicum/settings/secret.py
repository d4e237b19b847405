"""Secrets that the settings name and never hold: `env:NAME` or `file:PATH`."""

import os
from collections.abc import Mapping
from pathlib import Path

from modicum.calls import UserError


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
