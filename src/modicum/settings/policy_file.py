"""`policy.toml`, read and checked: a wrong value is said with file, line and what is accepted."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import UserError
from modicum.calls.outside.regular_file import read_regular
from modicum.settings.folders import policy_place
from modicum.settings.governance.budgets import BudgetSettings, budget_fault
from modicum.settings.governance.outcomes import OutcomeSettings, outcome_fault
from modicum.settings.governance.policy import (
    NO_POLICY_SETTINGS,
    ClauseSettings,
    OwnerClassSettings,
    PolicySettings,
    policy_fault,
)
from modicum.settings.places import line_of, line_of_row, list_accepted
from modicum.settings.table import Settings

_TABLES = {
    "$.clause[": ClauseSettings,
    "$.owner_class[": OwnerClassSettings,
    "$.budget[": BudgetSettings,
    "$.outcome[": OutcomeSettings,
}

_KEY = re.compile(r"`\$\.(\w+)|unknown field `(\w+)`")
"""The key that a message of msgspec about one row is about."""


def read_policy(settings: Settings) -> PolicySettings:
    """The policy that lies beside the settings; an empty one where none does. Its budgets are checked with those of the
    settings.

    Raises:
        UserError: the file cannot be read or holds a wrong value; the message names file, line and what is accepted.
    """
    path = policy_place(settings)
    try:
        return parse_policy(path, _text(path))
    except FileNotFoundError:
        if settings.policy:
            raise UserError(
                f"{path}: there is no such policy, and {settings.file} names it (policy): bring it back, or take the "
                "line out"
            ) from None
        return NO_POLICY_SETTINGS


def read_policy_at(path: Path) -> PolicySettings:
    """The policy in a file, with its budgets checked.

    Raises:
        UserError: it cannot be read or holds a wrong value.
    """
    try:
        rules = parse_policy(path, _text(path))
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such policy; docs/policy.md has one to start from") from None
    for table, broken in (("budget", budget_fault(rules.budget, 0)), ("outcome", outcome_fault(rules.outcome, 0))):
        if broken is not None:
            index, key, accepted = broken
            named = getattr(rules, table)[index].name
            raise UserError(f"{place_in_policy(rules, table, index, key)}: {table} '{named:.64}': {key} {accepted}")
    return rules


def parse_policy(path: Path, text: str) -> PolicySettings:
    """The policy in a text; `path` stands in what is said of it.

    Raises:
        UserError: it holds a wrong value.
    """
    try:
        document = tomllib.loads(text)
        rules = msgspec.convert(document | {"file": str(path)}, PolicySettings)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: no valid TOML: {error}") from None
    except msgspec.ValidationError as error:
        accepted = list_accepted(str(error), PolicySettings, _TABLES)
        place = _line_of_wrong_row(document, text) or line_of(text, str(error))
        raise UserError(f"{path}{place}: {error}; {accepted}") from None
    if (fault := policy_fault(rules)) is not None:
        if not fault.table:
            raise UserError(f"{path}{line_of(text, fault.key)}: {fault.key} {fault.accepted}")
        place = line_of_row(text, fault.table, fault.row, fault.key)
        named = f" '{rules.clause[fault.row].name:.64}'" if fault.table == "clause" else ""
        raise UserError(f"{path}{place}: {fault.table}{named}: {fault.key} {fault.accepted}")
    return rules


def _line_of_wrong_row(document: Mapping[str, Any], text: str) -> str:
    """The line of the first value in a row of a table that is not what it must be; empty: it stands in none."""
    for place, type_ in _TABLES.items():
        table = place.strip("$.[")
        rows = document.get(table)
        for number, row in enumerate(rows if isinstance(rows, list) else ()):
            try:
                msgspec.convert(row, type_)
            except msgspec.ValidationError as error:
                key = _KEY.search(str(error))
                return line_of_row(text, table, number, (key[1] or key[2]) if key is not None else "")
    return ""


def place_in_policy(rules: PolicySettings, table: str, row: int, key: str = "name") -> str:
    """Where a row of the policy stands, as `policy.toml:7`."""
    try:
        return f"{rules.file}{line_of_row(_text(Path(rules.file)), table, row, key)}"
    except (OSError, UserError):
        return rules.file


def _text(path: Path) -> str:
    """Raises:
    FileNotFoundError: there is none.
    UserError: it cannot be read.
    """
    try:
        return read_regular(path).decode("utf-8")
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
