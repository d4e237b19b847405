"""How large a model's context window is, as genai-prices has it.

It is the maker's figure for prompt and reply together. Sellers may offer less, and some makers keep part of it for the
reply alone; a model that the list does not know has no figure here.
"""

from functools import lru_cache

from modicum.metering.prices import candidates


@lru_cache(maxsize=256)
def context_window_tokens(model: str, provider: str = "") -> int | None:
    """Tokens of prompt and reply that fit, or None: not known."""
    from genai_prices.data_snapshot import get_snapshot

    snapshot = get_snapshot()
    for seller, name in candidates(provider, model):
        try:
            _, found = snapshot.find_provider_model(name, None, seller or None, None)
        except LookupError:
            continue
        if found.context_window:
            return int(found.context_window)
    return None
