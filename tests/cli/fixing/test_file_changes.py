import json
import tomllib

import pytest

from modicum.calls import UserError
from modicum.cli.fixing.file_changes import change_file

PASTE = '"env": {"A": "1", "B": "2"}'


@pytest.mark.parametrize("indent", [2, 4, "\t"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_json_keeps_its_style(indent, end):
    before = (json.dumps({"model": "opus", "x": "ä"}, indent=indent, ensure_ascii=False) + end).encode()

    changed = change_file("json", before, PASTE, "f").content

    assert changed.startswith(before.rstrip(b"\n").removesuffix(b"\n}"))
    assert changed.endswith(b"}" + end.encode())
    assert json.loads(changed)["env"] == {"A": "1", "B": "2"}


def test_what_the_user_has_set_stays_and_is_named():
    changed = change_file("json", b'{"env": {"A": "9"}, "other": 1}', PASTE, "f")

    assert json.loads(changed.content) == {"env": {"A": "9", "B": "2"}, "other": 1}
    assert changed.left_out == ('env.A is "9" already, and stays',)
    taken = change_file("json", b'{"env": 3}', PASTE, "f")
    assert (taken.content, taken.left_out) == (b'{"env": 3}', ("env is 3 already, and stays",))


@pytest.mark.parametrize(("kind", "paste"), [("json", PASTE), ("toml", "a = 1"), ("markdown", "Do not read twice.")])
def test_a_second_time_nothing_changes(kind, paste):
    once = change_file(kind, None, paste, "f").content

    assert once
    assert change_file(kind, once, paste, "f").content == once


def test_a_mark_in_front_stays():
    assert change_file("json", b'\xef\xbb\xbf{"a": 1}', PASTE, "f").content.startswith(b"\xef\xbb\xbf{")


@pytest.mark.parametrize(
    ("kind", "before", "reason"),
    [
        ("json", b"{// comment\n}", "is no plain JSON"),
        ("json", b'{"a": 1, "a": 2}', "a name stands in it twice"),
        ("json", b"[1]", "is no JSON object"),
        ("json", b"[" * 100_000, "is no plain JSON"),
        ("json", b"\xff{}", "is no text in UTF-8"),
        ("toml", b"a = ", "is no TOML"),
        ("toml", b"[a]\n[a]", "is no TOML"),
    ],
)
def test_what_cannot_be_added_to_is_refused(kind, before, reason):
    with pytest.raises(UserError, match=reason):
        change_file(kind, before, PASTE if kind == "json" else "b = 1", "f")


def test_a_key_of_toml_goes_in_front_of_all_tables():
    before = b"# mine\n[table]\nx = 1\n"

    changed = change_file("toml", before, "limit = 4000", "f").content

    assert changed.endswith(before)
    assert tomllib.loads(changed.decode()) == {"limit": 4000, "table": {"x": 1}}
    kept = change_file("toml", b"limit = 1\n", "limit = 4000", "f")
    assert (kept.content, kept.left_out) == (b"limit = 1\n", ("limit is 1 already, and stays",))


@pytest.mark.parametrize(
    ("before", "after"), [(None, b"Be brief.\n"), (b"a", b"a\n\nBe brief.\n"), (b"a\n", b"a\n\nBe brief.\n")]
)
def test_a_sentence_is_a_paragraph_of_its_own(before, after):
    assert change_file("markdown", before, "Be brief.", "f").content == after
