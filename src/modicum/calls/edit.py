"""What a rule changed in a call before it was sent: the only source of every figure of saved tokens."""

import msgspec

from modicum.calls.basis import Basis


class Edit(msgspec.Struct, frozen=True, gc=False):
    """One rule's change to one call. Tokens are those of the prompt, before and after."""

    rule: str
    """`team_plan.drop`, `team_plan.agreed`, `team_plan.hide`, `team_plan.model`, ..."""
    tokens_before: int | None = None
    """None where the rule changed something else than tokens."""
    tokens_after: int | None = None
    why: str = ""
    """In our words, without any text of the call."""
    basis: Basis = Basis.ESTIMATED
    """How the tokens are known."""
