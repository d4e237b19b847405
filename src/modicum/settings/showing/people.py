"""`[people]`: whose own figures are shown."""

import msgspec

EVERYONE, GROUPS = "everyone", "groups"


class PeopleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    me: tuple[str, ...] = ()
    """The names under which your own calls are booked (dimension `user`). Empty: the name you are logged in by."""
    show: str = GROUPS
    """`groups`: of other persons only sums over five and more. `everyone`: each of them by name."""

    def __post_init__(self) -> None:
        if self.show not in {EVERYONE, GROUPS}:
            raise ValueError(f"'show' is '{self.show}'; accepted are '{GROUPS}', '{EVERYONE}'")
