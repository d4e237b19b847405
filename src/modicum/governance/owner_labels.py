"""Owners as labels of metrics: a stated number of them, and the rest as one, so that callers cannot grow them.

Pure. Teams and apps may be what a caller wrote into a header, so one key alone cannot use up the places of the others.
"""

from typing import NamedTuple

from modicum.calls import Owner
from modicum.governance.keys import OWN_KEY

OTHER = "other"
"""The label of everybody beyond the number."""
OWN_KEYS = "(own keys)"
"""The label of all callers that bring their own provider key: what is known of such a key is a digest of it, and
nothing of a key is shown."""
MOST_OF_A_KEY = 20
"""Pairs of team and app that one key may bring."""
MOST_CHARS = 64


class OwnerLabel(NamedTuple):
    team: str
    app: str
    key: str
    """The key's name, never anything of the key."""


EVERYBODY_ELSE = OwnerLabel(OTHER, OTHER, OTHER)


class OwnerLabels:
    """Remembers which owners have labels of their own: those that came first.

    Args:
        most: how many.
        most_of_a_key: how many of them one key may have; the rest of that key is `other` of its name.
    """

    def __init__(self, most: int, most_of_a_key: int = MOST_OF_A_KEY) -> None:
        self.most = most
        self._most_of_a_key = most_of_a_key
        self._labels: set[OwnerLabel] = set()
        self._of_a_key: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._labels)

    def label(self, owner: Owner) -> OwnerLabel:
        """The label that an owner's figures go under."""
        key = OWN_KEYS if owner.key.startswith(OWN_KEY) else owner.key[:MOST_CHARS]
        label = OwnerLabel(owner.team[:MOST_CHARS], owner.app[:MOST_CHARS], key)
        if label in self._labels:
            return label
        if self._of_a_key.get(key, 0) >= self._most_of_a_key:
            label = OwnerLabel(OTHER, OTHER, key)
            if label in self._labels:
                return label
        if len(self._labels) >= self.most:
            return EVERYBODY_ELSE
        self._labels.add(label)
        self._of_a_key[key] = self._of_a_key.get(key, 0) + 1
        return label
