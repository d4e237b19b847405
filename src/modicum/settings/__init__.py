"""One typed table of settings, a file per section. Read once, at the top; below, values are arguments."""

from modicum.settings.addresses import host_and_port, host_name
from modicum.settings.cascades import CascadeSettings
from modicum.settings.console import ConsoleSettings
from modicum.settings.folders import (
    beside_settings,
    cache_folder,
    config_folder,
    data_folder,
    ledger_place,
    policy_place,
    price_file_place,
    state_folder,
)
from modicum.settings.gateway import MOST_WORKERS, GatewaySettings
from modicum.settings.governance.agent_guard import AgentGuardSettings, agent_limits_of
from modicum.settings.governance.alerts import AlertSettings, alert_rules_of, webhook_of
from modicum.settings.governance.budgets import BudgetSettings, budgets_of
from modicum.settings.governance.energy import EnergySettings
from modicum.settings.governance.limits import LimitSettings, limits_of
from modicum.settings.governance.outcomes import OutcomeSettings, outcome_budgets_of, worth_of
from modicum.settings.governance.policy import NO_POLICY_SETTINGS, PolicySettings, policy_of
from modicum.settings.metrics import MetricsSettings
from modicum.settings.optimize import OptimizeSettings, rule_choice_of
from modicum.settings.otel import OtelSettings
from modicum.settings.policy_file import place_in_policy, read_policy_at
from modicum.settings.prompts import PromptSettings
from modicum.settings.redaction import RedactionSettings
from modicum.settings.reply_cache import ReplyCacheSettings, SemanticCacheSettings
from modicum.settings.resilience import ResilienceSettings, policies_of
from modicum.settings.routes import RouteSettings
from modicum.settings.secret import secret_at
from modicum.settings.settings_file import FILE_NAME, place_of, read_settings
from modicum.settings.state import StateSettings
from modicum.settings.table import Settings
from modicum.settings.teams import TeamSettings
from modicum.settings.time_zone import UserZone, checked_zone, user_zone
from modicum.settings.upstreams import USUAL_UPSTREAMS, UpstreamSettings, upstream_key
from modicum.settings.variants import VariantSettings

__all__ = [
    "FILE_NAME",
    "MOST_WORKERS",
    "NO_POLICY_SETTINGS",
    "USUAL_UPSTREAMS",
    "AgentGuardSettings",
    "AlertSettings",
    "BudgetSettings",
    "CascadeSettings",
    "ConsoleSettings",
    "EnergySettings",
    "GatewaySettings",
    "LimitSettings",
    "MetricsSettings",
    "OptimizeSettings",
    "OtelSettings",
    "OutcomeSettings",
    "PolicySettings",
    "PromptSettings",
    "RedactionSettings",
    "ReplyCacheSettings",
    "ResilienceSettings",
    "RouteSettings",
    "SemanticCacheSettings",
    "Settings",
    "StateSettings",
    "TeamSettings",
    "UpstreamSettings",
    "UserZone",
    "VariantSettings",
    "agent_limits_of",
    "alert_rules_of",
    "beside_settings",
    "budgets_of",
    "cache_folder",
    "checked_zone",
    "config_folder",
    "data_folder",
    "host_and_port",
    "host_name",
    "ledger_place",
    "limits_of",
    "outcome_budgets_of",
    "place_in_policy",
    "place_of",
    "policies_of",
    "policy_of",
    "policy_place",
    "price_file_place",
    "read_policy_at",
    "read_settings",
    "rule_choice_of",
    "secret_at",
    "state_folder",
    "upstream_key",
    "user_zone",
    "webhook_of",
    "worth_of",
]
