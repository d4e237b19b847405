"""How large a model's context window is, as genai-prices has it.

It is the maker's figure for prompt and reply together. Sellers may offer less, and some makers keep part of it for the
reply alone. Where the maker's entry lacks it, OpenRouter's entry for the same model counts (of 70 models that both
have, 50 agree and most others differ by rounding). A model that neither knows has no figure here.
"""

from functools import lru_cache


@lru_cache(maxsize=256)
def context_window_tokens(model: str, provider: str = "") -> int | None:
    """Tokens of prompt and reply that fit, or None: not known. The first question loads the list: 0.2 s and 14 MB."""
    from genai_prices.data_snapshot import get_snapshot

    from modicum.metering.price_list import candidates, find_listed_model

    snapshot = get_snapshot()
    for seller, name in candidates(provider, model):
        found = find_listed_model(snapshot, seller, name)
        if found is None:
            continue
        maker, entry = found
        if not entry.context_window:
            listed = find_listed_model(snapshot, "openrouter", f"{maker.id}/{entry.id}")
            entry = listed[1] if listed else entry
        if entry.context_window:
            return int(entry.context_window)
    return None
