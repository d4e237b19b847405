"""`[routes.NAME]`: routers that the gateway tries on calls, in experiments."""

import msgspec


class RouteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[routes.NAME]`: weights of `modicum route train`. They change calls only while an experiment on the rule
    `route.NAME` runs, and after it was kept.
    """

    weights: str
    """The file of the weights. A relative path counts from the settings file."""
    models: str
    """Which calls may be sent elsewhere: the model that they ask for, or a pattern, as `gpt-*`."""


def route_fault(name: str, route: RouteSettings) -> tuple[str, str] | None:
    """The setting that is wrong, and what it must be."""
    plain = name.replace("-", "").replace("_", "")
    if not plain.isascii() or not plain.isalnum():
        return name, "a table whose name has letters, digits, '-' and '_' alone"
    if not route.weights.strip():
        return "weights", "a file that 'modicum route train' has written"
    if not route.models.strip():
        return "models", "a model or a pattern, as 'gpt-*'"
    return None
