"""Secrets and personal data in a text, counted by kind. The values stay in the text: nothing here returns them.

Every kind has a mark that has to stand in the text before its pattern is tried, so that a text without any costs a few
searches for fixed strings; numbers show in an outline of the text. A pattern's time must grow with the text and not
with its square, whatever stands there: one that may run to the end of a long word begins only where the word does. And
it runs over a piece at a time, since nothing else in the process does meanwhile. Shapes are those that the issuers
publish; what is only likely (a long random word) is not counted, since a count that cries wolf is read by nobody.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

LONGEST = 1_000_000
"""Characters of a text that are searched; longer ones are data and not prompts."""
PIECE = 32_768
"""Characters that a pattern runs over in one go."""
LONGEST_VALUE = 4_096
"""How far beyond its piece a value may end."""


class SensitiveKind(NamedTuple):
    name: str
    marks: tuple[str, ...]
    """One of these stands in every text that holds this kind; empty: there is none."""
    pattern: re.Pattern[str]
    valid: Callable[[str], bool] = lambda _text: True
    may_hold: Callable[[str, bytes], bool] = lambda _text, _outline: True
    """Of a text and its outline: a look that costs little and misses no value."""


_OUTLINE = bytes(
    ord("0") if 48 <= code <= 57 else ord("A") if 65 <= code <= 90 else code if code == 43 else ord(".")
    for code in range(256)
)
_LEFT_OUT = b" -()"
_IBAN_SHAPE = re.compile(rb"AA00[A0]{8}")
_CARD_SHAPE, _PHONE_SHAPE = b"0" * 15, b"+00000"
_HOST = re.compile(r"@(?<=[\w.+-]@)(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2}")


def _outline(text: str) -> bytes:
    """The text with every digit as 0, every capital as A and no separators: long numbers show as runs, in a search for
    fixed bytes, which takes a twentieth of the time of a pattern.
    """
    return text.encode("latin-1", "replace").translate(_OUTLINE, _LEFT_OUT)


def is_card_number(number: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1), and not one digit all along."""
    digits = [int(character) for character in number if character.isdigit()]
    doubled = [digit if place % 2 == 0 else digit * 2 - 9 * (digit > 4) for place, digit in enumerate(reversed(digits))]
    return 13 <= len(digits) <= 19 and len(set(digits)) > 2 and sum(doubled) % 10 == 0


def is_iban(account: str) -> bool:
    """The check digits of a bank account (ISO 13616): the number, turned, is 1 modulo 97."""
    plain = account.replace(" ", "")
    turned = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def is_personal_address(address: str) -> bool:
    """An address that may be somebody's: not one of documentation (RFC 2606), of a service, or of a version control."""
    local, _, host = address.lower().rpartition("@")
    invented = host.split(".")[-1] in {"example", "test", "invalid", "localhost"} or "example." in f".{host}"
    return not invented and local not in {"git", "noreply", "no-reply"} and "noreply" not in host


KINDS = (
    SensitiveKind("private_key", ("PRIVATE KEY-----",), re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")),
    SensitiveKind("aws_key", ("AKIA", "ASIA"), re.compile(r"\b(?:AKIA|ASIA)(?=[A-Z0-9]*[0-9])[A-Z2-7]{16}\b")),
    SensitiveKind(
        "github_token",
        ("ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_"),
        re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{82})\b"),
    ),
    SensitiveKind(
        "model_key", ("sk-",), re.compile(r"(?<![\w-])sk-(?:ant-|proj-|or-)?(?=[\w-]*[0-9])(?=[\w-]*[A-Z])[\w-]{32,}")
    ),
    SensitiveKind("google_key", ("AIza",), re.compile(r"\bAIza[\w-]{35}(?![\w-])")),
    SensitiveKind("slack_token", ("xox",), re.compile(r"\bxox[abprs]-[0-9]{8,}-[\w-]{10,}")),
    SensitiveKind("stripe_key", ("_live_",), re.compile(r"\b[sr]k_live_[A-Za-z0-9]{20,}\b")),
    SensitiveKind("jwt", ("eyJ",), re.compile(r"(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}")),
    SensitiveKind(
        "email",
        ("@",),
        re.compile(r"(?<![\w.+-])[A-Za-z0-9][\w.+-]*@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}\b"),
        is_personal_address,
        lambda text, _outline: _HOST.search(text) is not None,
    ),
    SensitiveKind(
        "iban",
        (),
        re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"),
        is_iban,
        lambda _text, outline: _IBAN_SHAPE.search(outline) is not None,
    ),
    SensitiveKind(
        "payment_card",
        (),
        re.compile(r"(?<![\w.-])[3-6][0-9]{3}(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{3,4}(?![\w.-])"),
        is_card_number,
        lambda _text, outline: _CARD_SHAPE in outline,
    ),
    SensitiveKind(
        "phone",
        ("+",),
        re.compile(r"(?<![\w+])\+[1-9][0-9]{0,2}(?:[ -]\(?[0-9]{2,4}\)?){2,4}(?![\w-])"),
        may_hold=lambda _text, outline: _PHONE_SHAPE in outline,
    ),
)
"""In the order in which they are reported."""

_MARKS = tuple(mark for kind in KINDS for mark in kind.marks)


def count_sensitive_values(text: str) -> dict[str, int]:
    """How many different values of each kind stand in a text; kinds without any are left out."""
    text = text[:LONGEST]
    outline = _outline(text)
    found = {}
    marks_in_text = {mark for mark in _MARKS if mark in text}  # most texts hold none, and no pattern is tried
    for kind in KINDS:
        has_mark = not kind.marks or not marks_in_text.isdisjoint(kind.marks)
        if has_mark and kind.may_hold(text, outline) and (count := sum(map(kind.valid, _values(kind.pattern, text)))):
            found[kind.name] = count
    return found


def _values(pattern: re.Pattern[str], text: str) -> set[str]:
    values = set()
    for start in range(0, len(text), PIECE):
        for match in pattern.finditer(text, start, start + PIECE + LONGEST_VALUE):
            if match.start() >= start + PIECE:
                break  # the next piece has it
            values.add(match[0])
    return values
