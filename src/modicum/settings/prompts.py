"""`[prompts.NAME]`: changes of the system prompt that the gateway tries on calls, in experiments."""

import msgspec


class PromptSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[prompts.NAME]`: another system prompt. It changes calls only while an experiment on the rule `prompt.NAME`
    runs, and after it was kept. Paths count from the settings file.
    """

    models: str
    """Which calls: the model that they ask for, or a pattern, as `gpt-*`."""
    append: str = ""
    """A file whose text stands behind the system prompt; or, in its place, the two that follow."""
    old: str = ""
    """A file with the system prompt that is replaced: only calls that have just this one are changed."""
    new: str = ""
    """A file with the one that stands in its place."""


def prompt_fault(name: str, prompt: PromptSettings) -> tuple[str, str] | None:
    """The setting that is wrong, and what it must be."""
    plain = name.replace("-", "").replace("_", "")
    if not plain.isascii() or not plain.isalnum():
        return name, "a table whose name has letters, digits, '-' and '_' alone"
    if not prompt.models.strip():
        return "models", "a model or a pattern, as 'gpt-*'"
    if bool(prompt.append) == bool(prompt.old or prompt.new) or bool(prompt.old) != bool(prompt.new):
        return "append", "a file, or else 'old' and 'new' name two"
    return None
