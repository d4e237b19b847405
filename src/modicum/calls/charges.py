"""What a call is charged by beside its token buckets, and what makes its cost less than certain."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Self

import msgspec

from modicum.calls.usage import Usage


class ChargedUnit(StrEnum):
    """What providers count and charge by the piece. A provider's own unit that we do not know keeps its own name."""

    WEB_SEARCH = "web_search"
    """One search that the provider ran."""
    GROUNDED_PROMPT = "grounded_prompt"
    """One prompt that was answered with searches, however many (Gemini up to 2.5)."""
    SEARCH_QUERY = "search_query"
    """One query that differs from the others of its prompt (Gemini since 3)."""
    FILE_SEARCH = "file_search"
    """One search in files that were given to the provider."""
    SEARCHED_ANSWER = "searched_answer"
    """One answer of a model that always searches."""


WEB_SEARCHES = (ChargedUnit.WEB_SEARCH, ChargedUnit.GROUNDED_PROMPT, ChargedUnit.SEARCH_QUERY)
"""The units that are searches of the web, whatever their price is for."""


class OtherModel(msgspec.Struct, frozen=True, gc=False):
    """Tokens of a call that another model than the one that answered used, at rates of its own: an advisor, or the
    model that a fallback stood in for.
    """

    model: str
    usage: Usage


class Charges(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What is charged beside token buckets, as the provider's reply says it."""

    requests: dict[str, int] = {}
    """How many of each `ChargedUnit`, or of a unit of the provider's own name. None is 0."""
    region: str = ""
    """Where the provider says that the call was served, where its price depends on that: `us`, `eu`, ..."""
    caveats: tuple[str, ...] = ()
    """Names of what we do not understand of a call, so that its cost is not exact: `usage.new_tokens`,
    `service_tier=turbo`. Names and words of the provider, never text of a user."""
    provider_cost_usd: Decimal | None = None
    """What the provider or router itself says that it charged."""
    others: tuple[OtherModel, ...] = ()
    """What other models did for this call. Booking makes an entry of each."""
    cache_miss: str = ""
    """Why a prompt was not read from the cache, in the provider's word where it was asked for its diagnostics:
    `tools_changed`, `messages_changed`. Empty: it does not say."""

    @classmethod
    def of(
        cls,
        *,
        region: str = "",
        caveats: Iterable[str] = (),
        provider_cost_usd: Decimal | None = None,
        others: Iterable[OtherModel] = (),
        requests: Mapping[str, int] | None = None,
        cache_miss: str = "",
    ) -> "Charges":
        """Charges without the units of which there are none."""
        if not (region or caveats or others or requests) and provider_cost_usd is None and not cache_miss:
            return NO_CHARGES  # as nearly every call has them
        counted = {unit: count for unit, count in (requests or {}).items() if count}
        return cls(counted, region, tuple(dict.fromkeys(caveats)), provider_cost_usd, tuple(others), cache_miss)

    @property
    def web_searches(self) -> int:
        return sum(self.requests.get(unit, 0) for unit in WEB_SEARCHES) if self.requests else 0

    def with_cache_miss(self, reason: str) -> Self:
        return msgspec.structs.replace(self, cache_miss=reason) if reason else self

    def with_caveats(self, *caveats: str) -> Self:
        if not caveats:
            return self
        return msgspec.structs.replace(self, caveats=tuple(dict.fromkeys((*self.caveats, *caveats))))


NO_CHARGES = Charges()
