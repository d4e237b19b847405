"""modicum: find where LLM tokens go, cut the ones that buy nothing, prove that outcomes held."""

import importlib

__version__ = "0.1.0"

_LIBRARY = {
    "SentenceModel": "modicum.optimizers.meaning.sentence_model",
    "audit": "modicum.library.audits",
    "bill": "modicum.library.bills",
    "compare": "modicum.library.comparisons",
    "count": "modicum.library.counts",
    "lay_out": "modicum.optimizers.layout.prompt_layout",
    "open_ledger": "modicum.library.ledgers",
    "optimize": "modicum.sdk.optimizing",
    "plan_memory": "modicum.library.memory_plans",
    "price": "modicum.library.price_documents",
    "select": "modicum.optimizers.selection",
}
"""What a program of the user's imports from here. Its modules are loaded when it is first used."""


def __getattr__(name: str) -> object:
    if name not in _LIBRARY:
        raise AttributeError(f"module 'modicum' has no attribute '{name}'")
    return getattr(importlib.import_module(_LIBRARY[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_LIBRARY]
