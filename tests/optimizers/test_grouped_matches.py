import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.optimizers import grouped_matches
from modicum.optimizers.grouped_matches import NOTE, group_matches, matches_on_their_own

ROOT = "/home/ada/shops/north/"
FILE = "src/shop/cart.py"


def test_a_files_name_stands_above_its_matches_and_the_text_comes_back():
    text = "\n".join(
        ["Found 2 files", *(f"{FILE}:{n}:x = {n}" for n in (3, 9, 12, 40)), "--", *(f"src/b.py-{n}-" for n in (1, 2))]
    )

    edited = group_matches(text)

    assert edited.split("\n") == [
        NOTE, "Found 2 files", FILE, "3:x = 3", "9:x = 9", "12:x = 12", "40:x = 40", "--", "src/b.py", "1-", "2-",
    ]  # fmt: skip
    assert matches_on_their_own(edited) == text


def test_claude_codes_two_spellings_of_one_file_have_one_heading():
    lines = [f"{ROOT}{FILE}-1-import os", f"{FILE}:2:def pay():", f"{ROOT}{FILE}-3-", f"{FILE}-4-    if paid:"]
    text = "\n".join([*lines, f"{ROOT}{FILE}-5-    return", f"{FILE}:6:x: int"])

    edited = group_matches(text)

    assert edited.split("\n")[:3] == [NOTE, f"{ROOT} > {FILE}", "1-import os"]
    assert edited.count(FILE) == 1
    assert matches_on_their_own(edited) == text


def test_a_colon_in_a_lines_text_does_not_give_it_the_other_spelling():
    lines = [f"{ROOT}{FILE}-1-import os", f"{ROOT}{FILE}-2-if paid:", *(f"{FILE}:{n}:pay()" for n in range(3, 12))]

    edited = group_matches("\n".join(lines))

    assert edited.startswith(NOTE)
    assert matches_on_their_own(edited) == "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"src/f{n}.py:{n}:x" for n in range(3)),
        "\n".join(f"{n}:no file" for n in range(20)),
        f"{NOTE}\n" + "\n".join(f"{FILE}:{n}:x" for n in range(20)),
        "12:looks like a match\n" + "\n".join([f"{FILE}:{n}:x" for n in range(20)] + ["7-too"]),
        "\n".join(f"a{n}/b.py:1:x" for n in range(30)),
    ],
    ids=["few", "no names", "our own note", "cannot be told apart", "would be longer"],
)
def test_other_texts_stay(text):
    assert group_matches(text) == text


MATCHES = st.sampled_from(":-").flatmap(
    lambda mark: st.builds(
        "{}{}{}{}{}".format,
        st.sampled_from([FILE, ROOT + FILE, "a b.c", "x-1-y.py", "a > b.py"]),
        st.just(mark),
        st.integers(0, 99),
        st.just(mark),
        st.sampled_from(["", "x", "3:y", "if a:", "日本"]),
    )
)


@given(st.lists(st.one_of(MATCHES, st.sampled_from(["--", "", "Found 3", "5:x", NOTE, FILE])), max_size=40))
def test_whatever_the_lines_are_the_text_comes_back(lines):
    text = "\n".join(lines)

    if NOTE not in text:
        assert matches_on_their_own(group_matches(text)) == text


def test_a_megabyte_in_one_line_takes_no_long_time():
    started = time.process_time()

    for text in ("a/" * 500_000, "a-" * 500_000, "a." * 500_000, "x" * 1_000_000):
        assert group_matches(text) == text

    assert time.process_time() - started < 1


def test_a_text_whose_first_lines_only_look_like_matches_is_not_gone_through(monkeypatch):
    asked = []
    monkeypatch.setattr(grouped_matches, "_split", asked.append)

    assert group_matches("a:1:b\n" * 5_000) == "a:1:b\n" * 5_000
    assert asked == []
