"""Packages that come with an extra of modicum: loaded when they are needed, with one wording where they are missing."""

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from modicum.calls.errors import UserError


def load_extra(extra: str, purpose: str, module: str) -> Any:
    """The module of an extra.

    Args:
        extra: as `otel` in `pip install 'modicum[otel]'`.
        purpose: what needs it, as the beginning of a sentence.
        module: its full name.

    Raises:
        UserError: it is not installed; the message says what to type.
    """
    try:
        return import_module(module)
    except ImportError:
        raise missing_extra(extra, purpose) from None


def is_installed(module: str) -> bool:
    """Whether a package of an extra is there, without loading it."""
    return find_spec(module) is not None


def missing_extra(extra: str, purpose: str) -> UserError:
    """What to raise where a package of an extra is not there."""
    return UserError(f"{purpose} needs a package that is not installed: {install_command(extra)}")


def install_command(extra: str) -> str:
    """What to type for an extra: from the checkout that this program runs from, else by name."""
    checkout = Path(__file__).parents[3]
    if (checkout / "pyproject.toml").is_file():  # no package index has to know modicum then
        return f"'{sys.executable}' -m pip install '{checkout}[{extra}]'"
    return f"pip install 'modicum[{extra}]'"
