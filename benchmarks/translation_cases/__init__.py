"""Ninety requests as real clients send them, and what of each must arrive at a provider of another dialect."""

from translation_cases.anthropic_door import ANTHROPIC_DOOR
from translation_cases.case import Case
from translation_cases.openai_door import OPENAI_DOOR
from translation_cases.responses_door import RESPONSES_DOOR

CASES: tuple[Case, ...] = (*OPENAI_DOOR, *ANTHROPIC_DOOR, *RESPONSES_DOOR)
