"""Another system prompt, as a rule: what an experiment on a prompt tries."""

from fnmatch import fnmatchcase

from modicum.calls import SegmentKind
from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt
from modicum.calls.rule import Rule

FAMILY = "prompt."


def append_rule(name: str, text: str, pattern: str) -> Rule:
    """The rule `prompt.NAME`, which puts a text behind the system prompt. A call without one stays as it is.

    Args:
        name: of the change, in the settings.
        text: what is added; the same in every call, so that the provider's cache is kept from the second on.
        pattern: of the models whose calls are changed.
    """

    def decide(prompt: Prompt, facts: Facts) -> Change:
        if not fnmatchcase(facts.model, pattern):
            return NO_CHANGE
        parts = [unit for unit in prompt.units if unit.kind is SegmentKind.SYSTEM and unit.text is not None]
        if not parts:
            return NO_CHANGE
        last = parts[-1]
        return Change(
            replaced={last.place: f"{last.text}\n\n{text}"}, why=f"prompt {name}: a text behind the system prompt"
        )

    return Rule(FAMILY + name, decide)


def replace_rule(name: str, old: str, new: str, pattern: str) -> Rule:
    """The rule `prompt.NAME`, which puts one system prompt in the place of another. Space at the ends does not count.

    Args:
        name: of the change, in the settings.
        old: the whole of a system prompt, or of a block of it; calls without it stay as they are.
        new: what stands in its place.
        pattern: of the models whose calls are changed.
    """

    def decide(prompt: Prompt, facts: Facts) -> Change:
        if not fnmatchcase(facts.model, pattern):
            return NO_CHANGE
        for unit in prompt.units:
            if unit.kind is SegmentKind.SYSTEM and (unit.text or "").strip() == old.strip():
                return Change(replaced={unit.place: new}, why=f"prompt {name}: another system prompt")
        return NO_CHANGE

    return Rule(FAMILY + name, decide)
