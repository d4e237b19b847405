import os
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.optimizers.line_numbers import without_line_numbers
from modicum.optimizers.result_cut import CUT, MARK, budget_of, cut_text, handle_of, read_cut
from optimizers.test_arrival import chat, contents, sent

LINES = [f"line {number} of something long that nobody reads" for number in range(1, 3001)]
LINES[1499] = "the zebra lives here"
LINES[2199] = "class Stable:"


def test_head_tail_structure_and_what_the_question_is_about_stay():
    cut = cut_text("\n".join(LINES), "where is the zebra?", 8_000)

    assert len(cut) <= 8_000
    for line in (LINES[0], LINES[-1], LINES[1499], LINES[2199]):
        assert line in cut.split("\n")


def test_each_gap_says_which_lines_are_left_out():
    cut = cut_text("\n".join(LINES), "zebra", 8_000)

    shown = [line for line in cut.split("\n") if not line.startswith(MARK)]
    gaps = [
        (int(a.replace(",", "")), int(b.replace(",", ""))) for a, b in re.findall(r"lines ([\d,]+) to ([\d,]+)", cut)
    ]
    left_out = {number for first, last in gaps for number in range(first, last + 1)}
    assert shown == [line for number, line in enumerate(LINES, 1) if number not in left_out]


def test_a_later_question_changes_nothing_of_what_was_cut():
    text = "\n".join(LINES)
    body = chat([text], question="where is the zebra?")
    before = contents(sent(body, (CUT,)))
    body["messages"].append({"role": "user", "content": "and line 2877?"})

    assert contents(sent(body, (CUT,))) == before != [text]


def test_short_results_and_those_with_a_note_stay():
    for text in ("short", MARK + "\n" + "\n".join(LINES)):
        assert cut_text(text, "", 8_000) == text


def test_budgets_go_by_tool():
    assert (budget_of("Read"), budget_of("Bash"), budget_of("Grep"), budget_of("")) == (16_000, 6_000, 4_000, 9_000)
    assert [budget_of(tool) for tool in ("Task", "Agent", "spawn_agent", "TaskList")] == [12_000, 12_000, 12_000, 9_000]


@pytest.mark.parametrize("shown", [1, 10], ids=["every line", "every tenth"])
def test_gaps_of_a_file_are_named_by_its_own_lines(shown):
    """So that the agent can read that range, where it had asked for a part of the file."""
    lines = [f"{number:6}→call({number}) # {'word ' * 9}" for number in range(501, 1500)]
    text = "\n".join(lines)
    text = without_line_numbers(text) if shown == 10 else text

    cut = cut_text(text, "", 10_000)

    first, last = map(int, re.search(r"lines (\d[\d,]*) to (\d[\d,]*) of the file", cut.replace(",", "")).groups())
    assert f"call({first - 1})" in cut
    assert f"call({first})" not in cut
    assert f"call({last})" not in cut
    assert f"call({last + 1})" in cut


@pytest.mark.parametrize(
    "line", ["a FATAL thing", "it fa\u0131led", "WARN\u0130NG of it", "traceback", "cla\u017fs Stable:", "## Part"]
)
def test_lines_of_structure_stay_whatever_the_case_of_their_letters(line):
    lines = ["of nothing at all that anybody would read again"] * 3000
    lines[1999] = line

    assert line in cut_text("\n".join(lines), "", 8_000).split("\n")


SCORES = """
from modicum.optimizers.result_cut import _scores
words = [f"word{number}" for number in range(40)]
blocks = [" ".join(words[number:] + words[:number // 2]) for number in range(0, 40, 3)]
print(_scores(blocks, " ".join(words)))
"""


def test_scores_are_the_same_in_every_process():
    """Or a restart would cut a text of the history in another way, and break the cache."""
    printed = [
        subprocess.run(
            [sys.executable, "-c", SCORES],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    ]

    assert len(set(printed)) == 1
    assert printed[0].startswith("[")


CALLS = re.compile(r'modicum_read_cut with result="(\w+)", start=(\d+), end=(\d+)')
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)


@given(st.lists(WORDS, min_size=3, max_size=60), st.integers(1, 300), st.integers(300, 3_000))
def test_what_was_cut_is_read_back_to_the_byte(lines, repeat, budget):
    """Put in the place of its notes, it gives the whole text again."""
    text = "\n".join(lines * repeat)[:60_000]
    cut = cut_text(text, "zebra", budget, is_readable=True)
    pieces, at = [], 0
    for handle, start, end in CALLS.findall(cut) if MARK not in text else ():
        assert handle == handle_of(text)
        part = "".join(read_cut([text], handle, at, int(end)) for at in range(int(start), int(end), 24_000))
        assert part == text[int(start) : int(end)]
        assert at <= int(start) < int(end)
        pieces += [text[at : int(start)], part]
        at = int(end)
    kept = "".join(pieces[::2]) + text[at:]
    if len(cut) < len(text):
        without_notes = "".join(re.split(r"\n?\[modicum cut: [^\n]*\]", cut))
        assert without_notes.replace("\n", "") == kept.replace("\n", "")
