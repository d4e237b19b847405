"""`[variants.NAME]`: other settings of a request that the gateway tries on calls, in experiments."""

import msgspec

from modicum.calls import Owner
from modicum.calls.change import EFFORTS
from modicum.calls.errors import accepted_are


class VariantSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[variants.NAME]`: less thinking, a shorter answer, fewer tools. It changes calls only while an experiment on the
    rule `variant.NAME` runs, and after it was kept.
    """

    models: str
    """Which calls: the model that they ask for, or a pattern, as `gpt-*`. A dated name fits where its alias does."""
    team: str = ""
    """The team whose calls it is about. Empty: everybody's."""
    app: str = ""
    """The same for an app."""
    user: str = ""
    """The same for a user."""
    key: str = ""
    """The same for a key, by its name."""
    effort: str = ""
    """How much the model is to think, in the words of its API, where the caller says more or nothing."""
    most_output_tokens: int = 0
    """The most output, where the caller allows more. 0: as the caller says."""
    without_tools: tuple[str, ...] = ()
    """Tools that are not described to the model, in conversations that have not called them."""

    def is_of(self, owner: Owner) -> bool:
        """Whether it is about calls of somebody."""
        return owner.fits(self.team, self.app, self.user, self.key)


def variant_fault(name: str, variant: VariantSettings) -> tuple[str, str] | None:
    """The setting that is wrong, and what it must be."""
    plain = name.replace("-", "").replace("_", "")
    if not plain.isascii() or not plain.isalnum():
        return name, "a table whose name has letters, digits, '-' and '_' alone"
    if not variant.models.strip():
        return "models", "a model or a pattern, as 'gpt-*'"
    if variant.effort and variant.effort not in EFFORTS:
        return "effort", accepted_are(EFFORTS)
    if variant.most_output_tokens < 0:
        return "most_output_tokens", "a number above 0"
    if not (variant.effort or variant.most_output_tokens or variant.without_tools):
        return "models", "followed by 'effort', 'most_output_tokens' or 'without_tools'"
    return None
