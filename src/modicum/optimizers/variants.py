"""Other settings of a request, as a rule: what an experiment on effort, length or tools tries."""

from collections.abc import Callable, Collection
from fnmatch import fnmatchcase

from modicum.calls import Owner, SegmentKind
from modicum.calls.change import EFFORTS, NO_CHANGE, Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt
from modicum.calls.rule import Rule
from modicum.calls.words.counted_nouns import number_of
from modicum.metering.model_names import undated

FAMILY = "variant."


def _is_anybody(_owner: Owner) -> bool:
    return True


def variant_rule(
    name: str,
    pattern: str,
    *,
    is_about: Callable[[Owner], bool] = _is_anybody,
    effort: str = "",
    most_output_tokens: int = 0,
    without_tools: Collection[str] = (),
) -> Rule:
    """The rule `variant.NAME`.

    Args:
        name: of the variant, in the settings.
        pattern: of the models whose calls are changed; a dated name fits where its alias does.
        is_about: whether calls of an owner are.
        effort: how much the model is to think, at most; empty: as the caller says.
        most_output_tokens: the most output; 0: as the caller says.
        without_tools: tools that are not described, but in conversations that have called them: there the model would
            see calls of a tool that it does not know.
    """

    def decide(prompt: Prompt, facts: Facts) -> Change:
        is_one = fnmatchcase(facts.model, pattern) or fnmatchcase(undated(facts.model), pattern)
        if not (is_one and is_about(facts.owner)):
            return NO_CHANGE
        left_out = _unused(prompt, without_tools) if without_tools else frozenset[int]()
        lower = bool(effort) and _thinks_more(prompt.effort, effort)
        most = facts.most_output_tokens
        shorter = bool(most_output_tokens) and (most is None or most > most_output_tokens)
        if not (left_out or lower or shorter):
            return NO_CHANGE
        done = [f"effort {effort}"] if lower else []
        done += [f"at most {number_of(most_output_tokens, 'token')} of output"] if shorter else []
        done += [f"{number_of(len(left_out), 'tool')} left out"] if left_out else []
        return Change(
            left_out=left_out,
            effort=effort if lower else "",
            most_output_tokens=most_output_tokens if shorter else None,
            why=f"variant {name}: {', '.join(done)}",
        )

    return Rule(FAMILY + name, decide)


def _thinks_more(own: str, effort: str) -> bool:
    """Whether the caller wants more than that; what it does not say is the provider's choice, and nobody knows."""
    return not own or own not in EFFORTS or EFFORTS.index(own) > EFFORTS.index(effort)


def _unused(prompt: Prompt, tools: Collection[str]) -> frozenset[int]:
    called = {unit.tool for unit in prompt.units if unit.kind in {SegmentKind.TOOL_CALL, SegmentKind.TOOL_RESULT}}
    return frozenset(
        unit.place
        for unit in prompt.units
        if unit.kind is SegmentKind.TOOL_SCHEMA and unit.tool in tools and unit.tool not in called
    )
