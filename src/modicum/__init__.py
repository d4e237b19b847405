"""modicum: find where LLM tokens go, cut the ones that buy nothing, prove that outcomes held."""

__version__ = "0.1.0"

_LIBRARY = {"optimize": "modicum.sdk.optimizing", "select": "modicum.optimizers.selection"}
"""What a program of the user's imports from here. Its modules are loaded when it is first used."""


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in _LIBRARY:
        raise AttributeError(f"module 'modicum' has no attribute '{name}'")
    return getattr(import_module(_LIBRARY[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_LIBRARY]
