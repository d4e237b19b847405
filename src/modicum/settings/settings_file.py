"""`modicum.toml`, read and checked: a wrong value is said with file, line and what is accepted.

It is looked for in `$MODICUM_CONFIG`, the current folder, and the user's configuration folder; the first that exists
counts.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import UserError
from modicum.calls.outside.regular_file import read_regular
from modicum.settings.cascades import CascadeSettings, cascade_fault
from modicum.settings.console import ConsoleSettings, console_fault
from modicum.settings.folders import config_folder
from modicum.settings.gateway import MOST_WORKERS, GatewaySettings, gateway_fault
from modicum.settings.governance.agent_guard import AgentGuardSettings, agent_guard_fault
from modicum.settings.governance.alerts import AlertSettings, alerts_fault
from modicum.settings.governance.budgets import BudgetSettings, budget_fault
from modicum.settings.governance.energy import EnergySettings, energy_fault
from modicum.settings.governance.limits import LimitSettings, limit_fault
from modicum.settings.governance.outcomes import OutcomeSettings, outcome_fault
from modicum.settings.metrics import MetricsSettings, metrics_fault
from modicum.settings.optimize import OptimizeSettings, OwnerRules, optimize_fault
from modicum.settings.otel import OtelSettings
from modicum.settings.places import line_of, line_of_row, list_accepted
from modicum.settings.policy_file import place_in_policy, read_policy
from modicum.settings.prompts import PromptSettings, prompt_fault
from modicum.settings.redaction import RedactionSettings, redaction_fault
from modicum.settings.reply_cache import (
    ReplyCacheSettings,
    SemanticCacheSettings,
    reply_cache_fault,
    semantic_cache_fault,
)
from modicum.settings.resilience import ResilienceSettings, resilience_fault
from modicum.settings.routes import RouteSettings, route_fault
from modicum.settings.showing.showback import SharedCostSettings, ShowbackSettings
from modicum.settings.state import StateSettings, state_fault
from modicum.settings.table import MOST_KEEP_DAYS, Settings
from modicum.settings.teams import TeamSettings, team_fault
from modicum.settings.time_zone import checked_zone
from modicum.settings.upstreams import USUAL_UPSTREAMS, UpstreamSettings, upstream_fault
from modicum.settings.variants import VariantSettings, variant_fault

FILE_NAME = "modicum.toml"


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that apply here.

    Raises:
        UserError: the file cannot be read or holds a wrong value; the message names file, line and what is accepted.
    """
    path = _file(environment)
    if path is None:
        return _with_policy(Settings(), "")
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
        accepted = list_accepted(str(error), Settings, _TABLES)
        raise UserError(f"{path}{line_of(text, str(error))}: {error}; {accepted}") from None
    if "policy_rules" in document:
        raise UserError(f"{path}: policy_rules is no setting: what calls may be stands in policy.toml (docs/policy.md)")
    _check(settings, path, text)
    return _with_policy(settings, text)


def _with_policy(settings: Settings, text: str) -> Settings:
    """The settings with what `policy.toml` says; `text` is that of their own file. Budgets of both are one list."""
    rules = read_policy(settings)
    budgets, outcomes = (*settings.budget, *rules.budget), (*settings.outcome, *rules.outcome)
    for table, own, broken in (
        ("budget", len(settings.budget), budget_fault(budgets, settings.keep_days)),
        ("outcome", len(settings.outcome), outcome_fault(outcomes, settings.keep_days)),
    ):
        if broken is not None:
            index, key, accepted = broken
            named = (budgets if table == "budget" else outcomes)[index].name
            place = f"{settings.file}{line_of_row(text, table, index, key)}"
            if index >= own:
                place = place_in_policy(rules, table, index - own, key)
            raise UserError(f"{place}: {table} '{named:.64}': {key} {accepted}")
    return msgspec.structs.replace(settings, budget=budgets, outcome=outcomes, policy_rules=rules)


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


def _file(environment: Mapping[str, str]) -> Path | None:
    if named := environment.get("MODICUM_CONFIG"):
        return Path(named)
    return next((path for path in (Path(FILE_NAME), config_folder() / FILE_NAME) if path.is_file()), None)


def _check(settings: Settings, path: Path, text: str) -> None:
    try:
        checked_zone(settings.timezone or "UTC")
    except UserError as error:
        raise UserError(f"{path}{line_of(text, 'timezone')}: {error}") from None
    if not 1 <= settings.gateway.workers <= MOST_WORKERS:
        raise UserError(f"{path}{line_of(text, 'workers')}: workers is a number from 1 to {MOST_WORKERS}")
    _check_loads(settings, path, text)
    if not 0 <= settings.keep_days <= MOST_KEEP_DAYS:
        days = f"keep_days is a number of days up to {MOST_KEEP_DAYS:,}, or 0 to keep all"
        raise UserError(f"{path}{line_of(text, 'keep_days')}: {days}")
    if (wrong := gateway_fault(settings.gateway)) is not None:
        key, accepted = wrong
        raise UserError(f"{path}{line_of(text, key)}: gateway.{key} {accepted}")
    _check_watching(settings, path, text)
    _check_limits(settings, path, text)
    _check_optimizing(settings, path, text)
    _check_features(settings, path, text)


def _check_watching(settings: Settings, path: Path, text: str) -> None:
    """What is shown of owners, and to whom."""
    if (wrong := metrics_fault(settings.metrics)) is not None:
        key, accepted = wrong
        raise UserError(f"{path}{line_of(text, key)}: metrics.{key} {accepted}")
    if (wrong := console_fault(settings.console)) is not None:
        key, accepted = wrong
        raise UserError(f"{path}{line_of(text, key.rpartition('.')[2])}: console.{key} {accepted}")
    if (amiss := alerts_fault(settings.alerts)) is not None:
        key, accepted = amiss
        raise UserError(f"{path}{line_of(text, key)}: alerts.{key} {accepted}")


def _check_limits(settings: Settings, path: Path, text: str) -> None:
    """Limits, and where they are counted. Budgets are checked with those of the policy."""
    upstreams = settings.upstreams or USUAL_UPSTREAMS
    if (amiss := resilience_fault(settings.resilience, upstreams, settings.models)) is not None:
        index, key, accepted = amiss
        named, place = settings.resilience[index].name, line_of_row(text, "resilience", index, key)
        raise UserError(f"{path}{place}: resilience '{named:.64}': {key} {accepted}")
    if (amiss := limit_fault(settings.limit, upstreams)) is not None:
        index, key, accepted = amiss
        named, place = settings.limit[index].name, line_of_row(text, "limit", index, key)
        raise UserError(f"{path}{place}: limit '{named:.64}': {key} {accepted}")
    if (amiss := agent_guard_fault(settings.agent_guard)) is not None:
        index, key, accepted = amiss
        raise UserError(f"{path}{line_of_row(text, 'agent_guard', index, key)}: agent_guard: {key} {accepted}")
    if (amiss := energy_fault(settings.energy)) is not None:
        index, key, accepted = amiss
        named, place = settings.energy[index].model, line_of_row(text, "energy", index, key)
        raise UserError(f"{path}{place}: energy of '{named:.64}': {key} {accepted}")
    if (wrong := state_fault(settings.state)) is not None:
        key, accepted = wrong
        raise UserError(f"{path}{line_of(text, key)}: state.{key} {accepted}")


def _check_optimizing(settings: Settings, path: Path, text: str) -> None:
    """Which rules run, and for whom."""
    if (wrong := optimize_fault(settings.optimize)) is not None:
        key, accepted = wrong
        raise UserError(f"{path}{line_of(text, key)}: optimize.{key} {accepted}")
    if (wrong_row := redaction_fault(settings.redaction)) is not None:
        index, key, accepted = wrong_row
        raise UserError(f"{path}{line_of_row(text, 'redaction', index, key)}: redaction: {key} {accepted}")
    if (amiss := reply_cache_fault(settings.reply_cache)) is not None:
        index, key, accepted = amiss
        raise UserError(f"{path}{line_of_row(text, 'reply_cache', index, key)}: reply_cache: {key} {accepted}")
    if (amiss := semantic_cache_fault(settings.semantic_cache)) is not None:
        index, key, accepted = amiss
        raise UserError(f"{path}{line_of_row(text, 'semantic_cache', index, key)}: semantic_cache: {key} {accepted}")


def _check_features(settings: Settings, path: Path, text: str) -> None:
    """Teams of agents, and what experiments try."""
    for name, team in settings.teams.items():
        fault = team_fault(team)
        if fault is not None:
            key, accepted = fault
            raise UserError(f"{path}{line_of(text, key)}: teams.{name}.{key} must be {accepted}")
    tables: tuple[tuple[str, Mapping[str, Any], Callable[[str, Any], tuple[str, str] | None]], ...] = (
        ("routes", settings.routes, route_fault),
        ("cascades", settings.cascades, cascade_fault),
        ("variants", settings.variants, variant_fault),
        ("prompts", settings.prompts, prompt_fault),
    )
    for table, rows, fault_of in tables:
        for name, row in rows.items():
            if (fault := fault_of(name, row)) is not None:
                key, accepted = fault
                raise UserError(f"{path}{line_of(text, key)}: {table}.{name:.64}.{key:.64} must be {accepted}")


def _check_loads(settings: Settings, path: Path, text: str) -> None:
    """What the gateway takes on at once."""
    gateway = settings.gateway
    for key in ("most_body_mb", "most_upload_mb", "most_calls"):
        if getattr(gateway, key) < 1:
            raise UserError(f"{path}{line_of(text, key)}: gateway.{key} is a number, 1 or more")
    if gateway.most_bodies_mb != 0 and gateway.most_bodies_mb < gateway.most_body_mb:
        raise UserError(
            f"{path}{line_of(text, 'most_bodies_mb')}: gateway.most_bodies_mb is a number of megabytes, at least "
            f"most_body_mb ({gateway.most_body_mb}), or 0 for an eighth of the memory"
        )
    for name, upstream in settings.upstreams.items():
        if not 0 <= upstream.most_calls <= gateway.most_calls:
            raise UserError(
                f"{path}: upstreams.{name}.most_calls is a number from 1 to gateway.most_calls "
                f"({gateway.most_calls:,}), or 0 for three quarters of them"
            )
        if (fault := upstream_fault(upstream)) is not None:
            key, accepted = fault
            raise UserError(f"{path}{line_of(text, key)}: upstreams.{name}.{key} {accepted}")


_TABLES = {
    "$.gateway": GatewaySettings,
    "$.console": ConsoleSettings,
    "$.showback": ShowbackSettings,
    "$.showback.shared[": SharedCostSettings,
    "$.metrics": MetricsSettings,
    "$.alerts": AlertSettings,
    "$.otel": OtelSettings,
    "$.optimize": OptimizeSettings,
    "$.optimize.owner[": OwnerRules,
    "$.upstreams[": UpstreamSettings,
    "$.teams[": TeamSettings,
    "$.routes[": RouteSettings,
    "$.cascades[": CascadeSettings,
    "$.variants[": VariantSettings,
    "$.redaction[": RedactionSettings,
    "$.reply_cache[": ReplyCacheSettings,
    "$.semantic_cache[": SemanticCacheSettings,
    "$.prompts[": PromptSettings,
    "$.budget[": BudgetSettings,
    "$.energy[": EnergySettings,
    "$.outcome[": OutcomeSettings,
    "$.resilience[": ResilienceSettings,
    "$.agent_guard[": AgentGuardSettings,
    "$.limit[": LimitSettings,
    "$.state": StateSettings,
}
