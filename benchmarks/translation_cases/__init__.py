"""Ninety requests as real clients send them, and what of each must arrive at a provider of another dialect; two dozen
more of Gemini's clients, whose door came later.
"""

from translation_cases.anthropic_door import ANTHROPIC_DOOR
from translation_cases.case import Case
from translation_cases.gemini_door import GEMINI_DOOR
from translation_cases.openai_door import OPENAI_DOOR
from translation_cases.responses_door import RESPONSES_DOOR

CASES: tuple[Case, ...] = (*OPENAI_DOOR, *ANTHROPIC_DOOR, *RESPONSES_DOOR)
EVERY_CASE: tuple[Case, ...] = (*CASES, *GEMINI_DOOR)
