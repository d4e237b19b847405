"""The rules of changed system prompts and requests that the settings name. They act in experiments alone."""

from pathlib import Path

from modicum.calls import UserError
from modicum.calls.outside.regular_file import read_named
from modicum.calls.rule import Rule
from modicum.gateway.process.log import log
from modicum.optimizers.system_prompt import append_rule, replace_rule
from modicum.optimizers.variants import variant_rule
from modicum.settings import PromptSettings, Settings


def load_prompts(settings: Settings) -> tuple[Rule, ...]:
    """One whose file cannot be read is logged, and the calls go on as they came."""
    rules = []
    for name, prompt in settings.prompts.items():
        try:
            rules.append(_load(name, prompt, Path(settings.file).parent if settings.file else Path()))
        except (UserError, UnicodeDecodeError) as error:
            log("prompt_not_applied", prompt=name, problem=str(error))
    return tuple(rules)


def variants_of(settings: Settings) -> tuple[Rule, ...]:
    """Those of `[variants.NAME]`."""
    return tuple(
        variant_rule(
            name,
            one.models,
            is_about=one.is_of,
            effort=one.effort,
            most_output_tokens=one.most_output_tokens,
            without_tools=one.without_tools,
        )
        for name, one in settings.variants.items()
    )


def _load(name: str, prompt: PromptSettings, folder: Path) -> Rule:
    """Raises:
    UserError, UnicodeDecodeError: a file cannot be read, or is no text.
    """

    def text(path: str) -> str:
        return read_named(folder / path).decode("utf-8")

    if prompt.append:
        return append_rule(name, text(prompt.append), prompt.models)
    return replace_rule(name, text(prompt.old), text(prompt.new), prompt.models)
