"""What a skeleton leaves out: bodies of functions, and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.optimizers.code.languages import LANGUAGES, language_of_name
from modicum.optimizers.code.skeletons import FEWEST_LINES, LONGEST_LINE, MOST_CHARACTERS, MOST_CONTINUED, skeleton_gaps

PYTHON = '''import re

RATE = 0.19


class Cart:
    """What somebody buys."""

    def total(self, items: list[int],
              discount: float = 0.0) -> float:
        """The sum.

        Taxes included.
        """
        amount = sum(items)
        amount *= 1 + RATE
        def inner():
            return 1
        return amount * (1 - discount)

    def short(self): return 1


@cached
async def load(path):
    text = open(path).read()
    parsed = parse(text)
    voucher = parsed["voucher"]
    checked = check(parsed)
    cleaned = clean(checked)
    counted = count(cleaned)
    sorted_ = sort(counted)
    return sorted_
'''
BODY = "".join(f"    let_{number} = {number};\n" for number in range(6))
FILES = {
    "a.go": f"package a\n\nfunc (c *Cart) Total() int {{\n{BODY}}}\n\ntype Cart struct {{\n    a int\n}}\n",
    "a.rs": f"impl Cart {{\n    pub fn total(&self) -> u32 {{\n{BODY}    }}\n}}\n",
    "a.java": f"class Cart {{\n    int total()\n    {{\n{BODY}    }}\n}}\n",
    "a.ts": f"export class Cart {{\n  total(): number {{\n{BODY}  }}\n  name: string\n}}\n",
    "a.tsx": f"export const Cart = () => {{\n{BODY}  return <div/>\n}}\n",
    "a.js": f"describe('cart', () => {{\n  it('adds', async () => {{\n{BODY}  }})\n}})\n",
}


def skeleton(code, name="a.py", question=""):
    """The lines that stay, with `...` in the place of each gap."""
    lines = code.split("\n")
    for gap in reversed(skeleton_gaps(code, language_of_name(name), question)):
        lines[gap.first : gap.behind] = ["..."]
    return "\n".join(lines)


def test_signatures_first_lines_of_docstrings_and_all_outside_of_functions_stay():
    shown = skeleton(PYTHON)

    assert shown.count("...") == 2
    for line in (
        "RATE = 0.19",
        "discount: float = 0.0) -> float:",
        '"""The sum.',
        "@cached",
        "def short(self): return 1",
    ):
        assert line in shown
    for line in ("Taxes", "amount", "inner", "voucher"):
        assert line not in shown


def test_lines_with_rare_words_of_the_question_stay_with_their_neighbours():
    shown = skeleton(PYTHON, question="Where is the voucher read?")

    assert 'parsed = parse(text)\n    voucher = parsed["voucher"]\n    checked = check(parsed)\n...' in shown
    assert "sorted_" not in shown


@pytest.mark.parametrize("name", list(FILES))
def test_bodies_go_in_every_language_and_braces_stay(name):
    shown = skeleton(FILES[name], name)

    assert shown.count("...") == 1
    assert "let_3" not in shown
    assert shown.count("{") == FILES[name].count("{")
    assert shown.count("}") == FILES[name].count("}")


@pytest.mark.parametrize("name", ["a.py", "a.go", "a.ts"])
def test_what_is_no_code_has_no_skeleton(name):
    assert skeleton_gaps("Dear all,\nthe (cart is { full\n" * 30, language_of_name(name)) == []
    assert skeleton_gaps("", language_of_name(name)) == []


def test_functions_in_functions_and_texts_without_end_hold_nothing_up():
    nested = "export const a = " + "() => {\n" * 2_000 + "}\n" * 2_000

    assert len(skeleton_gaps(nested, language_of_name("a.ts"))) == 1
    for end in ("x" * (LONGEST_LINE + 1), "x\n" * MOST_CHARACTERS):
        assert skeleton_gaps(f"{FILES['a.go']}{end}", language_of_name("a.go")) == []
    assert skeleton_gaps(PYTHON + "\\\n" * (MOST_CONTINUED + 1), language_of_name("a.py")) == []


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(LANGUAGES), st.data())
def test_gaps_are_in_order_inside_the_text_and_long_enough(language, data):
    files = {**FILES, "a.py": PYTHON}
    code = "".join(
        data.draw(st.lists(st.sampled_from([*files.values(), "\r\n", "\ud800", "é = '日本'\n", "}\n"]), max_size=3))
    )
    count = code.count("\n") + 1

    gaps = skeleton_gaps(code, language, data.draw(st.sampled_from(["", "voucher", "let_3"])))

    places = [place for gap in gaps for place in gap]
    assert places == sorted(places)
    assert all(gap.first >= 0 and gap.behind <= count and gap.behind - gap.first >= FEWEST_LINES for gap in gaps)
