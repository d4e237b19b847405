"""All settings, section by section, with their defaults."""

import msgspec

from modicum.settings.cascades import CascadeSettings
from modicum.settings.console import ConsoleSettings
from modicum.settings.gateway import GatewaySettings
from modicum.settings.governance.agent_guard import AgentGuardSettings
from modicum.settings.governance.alerts import AlertSettings
from modicum.settings.governance.budgets import BudgetSettings
from modicum.settings.governance.energy import EnergySettings
from modicum.settings.governance.limits import LimitSettings
from modicum.settings.governance.outcomes import OutcomeSettings
from modicum.settings.governance.policy import NO_POLICY_SETTINGS, PolicySettings
from modicum.settings.metrics import MetricsSettings
from modicum.settings.optimize import OptimizeSettings
from modicum.settings.otel import OtelSettings
from modicum.settings.prompts import PromptSettings
from modicum.settings.redaction import RedactionSettings
from modicum.settings.reply_cache import ReplyCacheSettings, SemanticCacheSettings
from modicum.settings.resilience import ResilienceSettings
from modicum.settings.routes import RouteSettings
from modicum.settings.showing.currency import CurrencySettings
from modicum.settings.showing.people import PeopleSettings
from modicum.settings.showing.showback import ShowbackSettings
from modicum.settings.state import StateSettings
from modicum.settings.teams import TeamSettings
from modicum.settings.upstreams import UpstreamSettings
from modicum.settings.variants import VariantSettings

MOST_KEEP_DAYS = 36_500
"""A hundred years. Much more would begin before there were dates."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ledger: str = ""
    """Where the ledger is: a path, or clickhouse://user:password@host:port/database. Empty: a file in the user's data
    folder."""
    prices: str = ""
    """A file with your own prices (see docs/prices.md). Empty: `prices.toml` beside the settings or in the
    configuration folder, if there is one."""
    policy: str = ""
    """A file that says which calls may be made (see docs/policy.md). Empty: `policy.toml` beside the settings, if there
    is one."""
    timezone: str = ""
    """The zone in which days and weeks are cut, as `Europe/Berlin`. Empty: this machine's, or UTC where it has none."""
    keep_days: int = 0
    """Entries older than this are forgotten at the next import. 0: they are kept."""
    people: PeopleSettings = PeopleSettings()
    """Whose own figures are shown (see docs/bill.md)."""
    currency: CurrencySettings = CurrencySettings()
    """Another currency beside dollars (see docs/bill.md)."""
    showback: ShowbackSettings = ShowbackSettings()
    """Among whom a month's cost is divided, and how (see docs/showback.md)."""
    gateway: GatewaySettings = GatewaySettings()
    console: ConsoleSettings = ConsoleSettings()
    metrics: MetricsSettings = MetricsSettings()
    alerts: AlertSettings = AlertSettings()
    otel: OtelSettings = OtelSettings()
    upstreams: dict[str, UpstreamSettings] = {}
    """Where calls may go, in the order in which a model is looked for. None: OpenAI, Anthropic and Gemini."""
    models: dict[str, str] = {}
    """Other names for models: fast = "openai/gpt-4o-mini"."""
    teams: dict[str, TeamSettings] = {}
    """Teams of agents whose plans the gateway applies."""
    optimize: OptimizeSettings = OptimizeSettings()
    """Rules that change calls before they are sent (see docs/optimize.md)."""
    routes: dict[str, RouteSettings] = {}
    """Routers that experiments try on calls (see docs/routing.md)."""
    cascades: dict[str, CascadeSettings] = {}
    """Cheap models that are asked first, as experiments (see docs/routing.md)."""
    prompts: dict[str, PromptSettings] = {}
    """Changes of the system prompt that experiments try on calls (see docs/experiments.md)."""
    redaction: tuple[RedactionSettings, ...] = ()
    """Whose secrets and personal data do not leave (see docs/redaction.md)."""
    reply_cache: tuple[ReplyCacheSettings, ...] = ()
    """Whose repeated calls are answered from memory (see docs/reply-cache.md)."""
    semantic_cache: tuple[SemanticCacheSettings, ...] = ()
    """Whose questions may be answered with the answer to one that means the same (see docs/semantic-cache.md)."""
    variants: dict[str, VariantSettings] = {}
    """Other settings of requests that experiments try on calls (see docs/experiments.md)."""
    budget: tuple[BudgetSettings, ...] = ()
    """Limits on what calls through the gateway may cost (see docs/budgets.md)."""
    energy: tuple[EnergySettings, ...] = ()
    """What tokens draw on servers of your own (see docs/budgets.md)."""
    outcome: tuple[OutcomeSettings, ...] = ()
    """What outcomes are worth, and what one may cost (see docs/budgets.md)."""
    agent_guard: tuple[AgentGuardSettings, ...] = ()
    """How agents of one task may start agents (see docs/optimize.md)."""
    limit: tuple[LimitSettings, ...] = ()
    """How many calls and tokens a minute, and how many calls at once (see docs/limits.md)."""
    resilience: tuple[ResilienceSettings, ...] = ()
    """What is tried when an upstream fails (see docs/resilience.md)."""
    state: StateSettings = StateSettings()
    """Where budgets are counted that several workers or hosts share."""
    policy_rules: PolicySettings = NO_POLICY_SETTINGS
    """What that file says. Not set by hand."""
    file: str = ""
    """The file that the settings came from. Not set by hand."""
