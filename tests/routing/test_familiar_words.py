import pytest

from modicum.routing.familiar_words import learn_familiar_words
from modicum.routing.inputs import read_prompts
from modicum.routing.text_features import read_text

ENGLISH = [
    f"What is the {what} of the {whose} that was in the house, and how much did it cost to make it in {year}?"
    for what in ("colour", "weight", "price", "age")
    for whose in ("chair", "lamp", "boat", "clock")
    for year in range(1990, 2000)
]
SPANISH = "¿Cuál es el color de la silla que estaba en la casa y cuánto costó hacerla en mil novecientos noventa?"
GERMAN = "Welche Farbe hatte der Stuhl, der in dem Haus stand, und wie viel hat er damals im Laden gekostet?"


@pytest.fixture(scope="module")
def english():
    return learn_familiar_words(read_prompts(ENGLISH).words)


def test_prompts_of_the_same_language_about_other_things_are_familiar(english):
    other = "How much was the wine that the old man in the village did sell to the king of the land?"

    assert english.are_in(read_text(other).words)


@pytest.mark.parametrize("prompt", [SPANISH, GERMAN])
def test_another_language_in_the_same_script_is_not(english, prompt):
    assert not english.are_in(read_text(prompt).words)


def test_of_a_short_prompt_and_by_a_table_of_several_languages_nothing_is_said(english):
    assert english.are_in(read_text("Hola amigo").words)
    several = learn_familiar_words(read_prompts([*ENGLISH, *[SPANISH] * 40, *[GERMAN] * 40]).words)
    assert several.are_in(read_text(SPANISH).words)
    assert learn_familiar_words(read_prompts(["a b"] * 9).words).least_share == 0
