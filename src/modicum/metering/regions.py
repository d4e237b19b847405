"""What a token costs more where a provider is bound to a place.

Sources, all of 2026: Anthropic multiplies all token prices by 1.1 for inference in the US alone, on models since 4.6
(https://platform.claude.com/docs/en/manage-claude/data-residency); Vertex AI and Bedrock so for Claude 4.5 and later
on regional endpoints (https://platform.claude.com/docs/en/about-claude/pricing; Bedrock's regional prices stand in
the list under names of their own); OpenAI for regional hosts, on models since GPT-5.4
(https://developers.openai.com/api/docs/pricing).
"""

import re
from decimal import Decimal
from typing import NamedTuple

from modicum.calls import Basis

EVERYWHERE = "global"
UPLIFT = Decimal("1.1")
NONE = Decimal(1)
_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:[-.](\d{1,2}))?(?!\d)")
_GPT = re.compile(r"gpt-(\d+)(?:\.(\d+))?")
FIRST_REGIONAL_CLAUDE = (4, 5)
FIRST_REGIONAL_GPT = (5, 4)


class RegionalFactor(NamedTuple):
    times: Decimal
    basis: Basis = Basis.EXACT
    """LOWER_BOUND where the place is not known and would matter; ESTIMATED where the word for it is not understood."""


SAME = RegionalFactor(NONE)


def regional_factor(provider: str, model: str, region: str) -> RegionalFactor:
    """What list prices are multiplied by for a call that was served in `region` (empty: nobody says where)."""
    if provider == "anthropic":
        return _of_anthropic(region)
    if provider == "openai":
        is_dearer = region not in {"", EVERYWHERE} and _version(_GPT, model) >= FIRST_REGIONAL_GPT
        return RegionalFactor(UPLIFT) if is_dearer else SAME
    if provider in {"google", "aws"} and _version(_CLAUDE, model) >= FIRST_REGIONAL_CLAUDE:
        return _of_cloud(provider, model, region)
    return SAME


def _of_anthropic(region: str) -> RegionalFactor:
    if region in {"", EVERYWHERE}:
        return SAME
    return RegionalFactor(UPLIFT) if region == "us" else RegionalFactor(NONE, Basis.ESTIMATED)


def _of_cloud(provider: str, model: str, region: str) -> RegionalFactor:
    """Bedrock's own names of models say whether a profile is global; Vertex says it by the host alone."""
    if provider == "aws" and "anthropic." in model:
        return SAME
    if not region:
        return RegionalFactor(NONE, Basis.LOWER_BOUND)
    return SAME if region == EVERYWHERE else RegionalFactor(UPLIFT)


def _version(pattern: re.Pattern[str], model: str) -> tuple[int, int]:
    found = pattern.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)
