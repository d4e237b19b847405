"""B1: long prompts that begin as the call before did, and are paid in full because nothing was cached."""

import numpy as np

from modicum.calls.words.percentages import percent
from modicum.insights.caching import Caching
from modicum.insights.finding import Finding, FindingClass, HistoryChange
from modicum.insights.history import Flags, History
from modicum.insights.segment_costs import most_expensive
from modicum.metering.shared_beginnings import find_warm

FEWEST_TOKENS = 1024
"""The least that most providers cache (Anthropic: 512 to 4,096 by model; OpenAI: 1,024). The replay knows each model's
own floor."""
TTL_SECONDS = 300.0
NEARLY_NONE = 0.05
"""A conversation that read less than this share of its prompts from a cache goes without one."""


def find(history: History) -> Finding:
    caching = Caching.compute(history)
    able, starts = find_uncached(history), find_uncached_starts(history, caching)
    stood = np.where(starts, caching.shared.root_tokens, history.kept_tokens)
    able = able | starts
    tokens = int(stood[able].sum())
    prices = np.divide(
        history.cost_uncached_usd, history.uncached, out=np.zeros(history.calls), where=history.uncached > 0
    )
    lacks = "" if history.has_anatomy.any() else "what prompts hold: these logs do not show it"
    # Whoever begins alike has to use the cache, too: somebody must have left there what the others read.
    alike = (caching.shared.root >= 0) & np.isin(caching.shared.root, caching.shared.root[starts])
    whole = np.isin(history.conversation, history.conversation[able | (alike & ~caching.habits.caches)])
    ttl_s = np.where(whole, caching.calls.ttl_s, -1).astype(np.int64)
    change = HistoryChange(ttl_seconds=ttl_s, unbroken=able & ~starts) if able.any() else None
    is_unproved = bool((starts & caching.shared.is_unproved).any())
    return Finding(
        id="B1",
        name="uncached_prefix",
        title="The same beginning, paid in full each time",
        what="Calls that begin with the context of the call before, less than five minutes later, in conversations "
        "that use no prompt cache; and first calls that begin as another conversation did, less than five minutes "
        "before.",
        finding_class=FindingClass.UPPER_BOUND if is_unproved else FindingClass.REPLAYED,
        calls=int(able.sum()),
        tokens=tokens,
        gross_usd=float(np.nansum(stood[able] * prices[able])),
        change=change,
        remedy='Anthropic: put "cache_control": {"type": "ephemeral"} on the request (automatic) or on the last '
        "message. OpenAI: set prompt_cache_key per conversation and keep tools and system prompt first and unchanged.",
        guard=f"Not counted: prefixes below {FEWEST_TOKENS:,} tokens, gaps of more than five minutes, and "
        f"conversations that already read {percent(NEARLY_NONE, 0)} of their prompts from a cache. The cost of the "
        "writes is included.",
        examples=most_expensive(history, able),
        lacks=lacks,
    )


def find_uncached_starts(history: History, caching: Caching) -> Flags:
    """First calls that paid in full for a beginning which another conversation had sent within a cache's time."""
    shared, calls = caching.shared, caching.calls
    if not len(shared.call):
        return np.zeros(history.calls, dtype=bool)
    recent = find_warm(shared, calls, np.full(history.calls, TTL_SECONDS))
    bare = (history.cache_read <= NEARLY_NONE * history.prompt) & ~caching.habits.caches
    starts: Flags = history.first & bare & (recent >= FEWEST_TOKENS) & (history.uncached >= recent)
    return starts


def find_uncached(history: History) -> Flags:
    """Calls whose kept prefix a cache would have held."""
    gaps = np.diff(history.started_s, prepend=0.0)
    starts = np.flatnonzero(history.first)
    if not len(starts):
        return np.zeros(0, np.bool_)
    read = np.add.reduceat(history.cache_read, starts)
    sent = np.add.reduceat(history.prompt, starts)
    bare = (read <= NEARLY_NONE * sent)[np.cumsum(history.first) - 1]
    within = (gaps >= 0) & (gaps < TTL_SECONDS) & ~history.first
    same_model = np.concatenate(([False], history.model[1:] == history.model[:-1]))
    mostly_uncached = history.uncached >= history.kept_tokens
    able: Flags = bare & within & same_model & mostly_uncached & (history.kept_tokens >= FEWEST_TOKENS)
    return able
