"""What stands in the place of secrets and personal data."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.privacy.placeholders import MARK, Placeholders, Sought

KEY = b"k" * 32
EMAILS = st.sampled_from(["ada@engine.org", "bob@engine.org", "ada@engine.org.uk"])


def hidden(*texts, key=KEY, **sought):
    placeholders = Placeholders(Sought(**sought), key)
    return placeholders, [placeholders.hide(text) for text in texts]


def test_a_value_has_one_placeholder_and_gets_it_again_in_another_call():
    _, (first, second) = hidden("ask ada@engine.org", "ada@engine.org or bob@engine.org")
    (ada,) = re.findall(rf"{MARK}\w+", first)
    assert first == f"ask {ada}"
    assert second.startswith(f"{ada} or {MARK}EMAIL_")
    assert "engine" not in second
    assert hidden("ada@engine.org")[1] == [ada]
    assert hidden("ada@engine.org", key=b"l" * 32)[1] != [ada]


def test_a_value_within_another_is_not_torn_out_of_it():
    placeholders, (text,) = hidden("ada@engine.org.uk ada@engine.org")
    assert "uk" not in text
    assert placeholders.restore(text) == "ada@engine.org.uk ada@engine.org"


def test_a_whole_private_key_goes_also_within_json_and_without_its_end():
    line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA" * 2
    for lines in ([line, line, "Ab3=", "-----END PRIVATE" + " KEY-----"], [line, line]):
        for end in ("\n", "\\n", "\r\n"):
            key = end.join(["-----BEGIN PRIVATE" + " KEY-----", *lines])
            placeholders, (text,) = hidden(f"here: {key} and on")
            assert text.startswith(f"here: {MARK}PRIVATE_KEY_")
            assert text.endswith(" and on")
            assert placeholders.restore(text) == f"here: {key} and on"


def test_patterns_of_ones_own():
    _, (text,) = hidden("customer C-123 at ada@engine.org", kinds=(), patterns={"customer": re.compile(r"C-\d+")})
    assert re.fullmatch(rf"customer {MARK}CUSTOMER_[0-9A-F]{{12}} at ada@engine.org", text)


def test_only_the_calls_own_are_restored():
    placeholders, _ = hidden("ada@engine.org")
    _, (foreign,) = hidden("bob@engine.org")
    for forged in (foreign, f"{MARK}EMAIL_000000000000", f"{MARK}EMAIL_", foreign.lower()):
        assert placeholders.restore(f"to {forged}.") == f"to {forged}."


def test_500_forged_placeholders_bring_nothing_back():
    placeholders, _ = hidden("ada@engine.org")
    forged = " ".join(f"{MARK}EMAIL_{number:012X}" for number in range(500))
    assert placeholders.restore(forged) == forged


def test_values_are_written_as_json_wants_them_within_json():
    placeholders, (text,) = hidden('say "C 1\n2"', kinds=(), patterns={"odd": re.compile(r"C[^\"]+")})
    assert placeholders.restore_in_json(text) == 'say "C 1\\n2"'


@settings(max_examples=50)
@given(st.lists(EMAILS | st.text(max_size=8)), st.data())
def test_what_is_hidden_comes_back_and_a_cut_placeholder_is_known(words, data):
    plain = " ".join(words)
    placeholders, (text,) = hidden(plain)
    assert placeholders.restore(text) == plain
    cut = data.draw(st.integers(0, len(text)))
    start = placeholders.begins_at(text[:cut])
    assert placeholders.restore(text[:start]) + placeholders.restore(text[start:]) == plain
