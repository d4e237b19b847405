import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.privacy.detection import (
    KINDS,
    PIECE,
    count_sensitive_values,
    find_sensitive_values,
    is_card_number,
    is_iban,
)

LETTERS = (string.ascii_letters + string.digits) * 2


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("-----BEGIN RSA PRIVATE" + " KEY-----\nMII", "private_key"),
        ("aws_access_key_id = AKIA" + "IOSFODNN7EXAMPLE"[:15] + "2", "aws_key"),
        ("token ghp_" + LETTERS[:36], "github_token"),
        ("ANTHROPIC_API_KEY=sk-ant-" + "api03-" + LETTERS[30:75], "model_key"),
        ("key=AIza" + LETTERS[20:55], "google_key"),
        ("xoxb-" + "123456789012-" + LETTERS[:24], "slack_token"),
        ("sk_live_" + LETTERS[:24], "stripe_key"),
        ("eyJ" + LETTERS[:20] + ".eyJ" + LETTERS[:30] + "." + LETTERS[:43], "jwt"),
        ("write to ada.lovelace@analytical-engine.org, please", "email"),
        ("IBAN GB82 WEST 1234 5698 7654 32", "iban"),
        ("card 4111 1111 1111 1234", None),  # wrong check digit
        ("card 4012 8888 8888 1881", "payment_card"),
        ("call +49 30 901820 12", "phone"),
        ("call +493090182012", "phone"),
        ("sent\n+493090182012", None),  # a line that a diff adds
        ("o'neil@corp.org", "email"),
        ("joão@corp.org", "email"),
        ("call +1 212 555 0142", "phone"),
        ("call (212) 555-0142.", "phone"),
        ("call (212)555-0142", "phone"),
        ('{"phone":"212-555-0142"}', "phone"),
    ],
)
def test_published_shapes_are_recognised(text, kind):
    assert list(count_sensitive_values(text)) == ([kind] if kind else [])


@pytest.mark.parametrize(
    "text",
    [
        "git@github.com:owner/name.git",
        "you@example.com and me@host.test",
        "12345+user@users.noreply.github.com",
        "@decorator def f(): x = a@b",
        "commit 4012888888881881aa0b9c",  # inside a longer word
        "2026-02-03 12:00:00 1770120000 00000000-0000-0000-0000-000000000000",
        "sk-learn and sk-" + "a" * 40,
        "AKIA" + "IS A WORD",
        "+1 -2 +3 4",
        "version 4.0.12 88.88 8888",
        "part 112-555-0142 and 212-155-0142",  # no area and no exchange begin with 0 or 1
        "id 7-212-555-0142 in 212-555-0142-3 or x212-555-0142, /212-555-0142 and 212-555-01423",
    ],
)
def test_what_only_looks_like_it_is_not_counted(text):
    assert count_sensitive_values(text) == {}


def test_a_value_counts_once_however_often_it_stands_there():
    assert count_sensitive_values("ada@engine.org ada@engine.org bob@engine.org") == {"email": 2}


def test_check_digits():
    assert is_card_number("4012888888881881")
    assert not is_card_number("4012888888881882")
    assert is_iban("DE89370400440532013000")
    assert not is_iban("DE88370400440532013000")


@given(st.text(max_size=300))
def test_no_text_breaks_it(text):
    assert all(count > 0 for count in count_sensitive_values(text).values())


@pytest.mark.parametrize(
    "again", ["sk-", "eyJ-", "a@", "a.", "xoxb-11111111-", "4111 ", "GB82", "+1 22 ", "AKIA", "-----BEGIN "]
)
def test_time_grows_with_the_text_and_not_with_its_square(again):
    text = (again * 400_000)[:400_000] + "-----BEGIN PRIVATE KEY-----"

    assert count_sensitive_values(text)["private_key"] == 1  # a square of this would take minutes


@given(st.integers(0, 2 * PIECE))
def test_a_value_is_found_once_wherever_pieces_are_cut(at):
    text = "x " * at + "ada.lovelace@engine.org" + " x" * 100

    assert count_sensitive_values(text) == {"email": 1}


@given(
    st.lists(
        st.sampled_from(
            [
                "+49 (0)",
                "(212) 5",
                "212-555-0",
                "4111 1111-1111 1111",
                "DE89 3704 0044 0532 0130 00",
                "a@",
                "x-y.org",
                " ",
                *"A0+-(.é@\n",
            ]
        )
    )
)
def test_looks_that_cost_little_miss_no_value(parts):
    text = "".join(parts)

    whole: Counter[str] = Counter()
    for kind in KINDS:
        whole[kind.name] += sum(map(kind.valid, {match[0] for match in kind.pattern.finditer(text)}))
    assert count_sensitive_values(text) == {name: count for name, count in whole.items() if count}


def test_a_number_with_its_country_is_not_found_once_more_without_it():
    assert count_sensitive_values("+1 212-555-0142 and +1-212-555-0143 and 212-555-0144") == {"phone": 3}
    assert find_sensitive_values("+1 212-555-0142, 212-555-0144") == {
        "+1 212-555-0142": "phone",
        "212-555-0144": "phone",
    }
