"""Secrets and personal data in a text, by kind: counted for the books, or found so that they can be replaced.

Every kind has a mark that has to stand in the text before its pattern is tried, so that a text without any costs a few
searches for fixed strings; numbers show in an outline of the text. A pattern's time must grow with the text and not
with its square, whatever stands there: one that may run to the end of a long word begins only where the word does. And
it runs over a piece at a time, since nothing else in the process does meanwhile. Shapes are those that the issuers
publish; what is only likely (a long random word) is not counted, since a count that cries wolf is read by nobody.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

LONGEST = 1_000_000
"""Characters of a text that are searched; longer ones are data and not prompts."""
PIECE = 32_768
"""Characters that a pattern runs over in one go."""
LONGEST_VALUE = 4_096
"""How far beyond its piece a value may end."""


class Around(NamedTuple):
    """Places in a text of which every value holds one, and how far around them it may reach."""

    places: re.Pattern[str]
    before: int
    after: int
    head: re.Pattern[str] | None = None
    """What stands before the place, where that is told faster than the whole value."""


class SensitiveKind(NamedTuple):
    name: str
    marks: tuple[str, ...]
    """One of these stands in every value of this kind; empty: a long number is the mark."""
    pattern: re.Pattern[str]
    valid: Callable[[str], bool] = lambda _text: True
    may_hold: Callable[[str, bytes], bool] = lambda _text, _outline: True
    """Of a text and its outline: a look that costs little and misses no value."""
    around: Around | None = None
    """Where values are looked for; None: in all of the text."""
    whole: re.Pattern[str] | None = None
    """What has to be replaced, where the pattern finds only how it begins."""


_OUTLINE = bytes(
    ord("0") if 48 <= code <= 57 else ord("A") if 65 <= code <= 90 else code if code == 43 else ord(".")
    for code in range(256)
)
_LEFT_OUT = b" -()"
_IBAN_SHAPE = re.compile(rb"AA00[A0]{8}")
_CARD_SHAPE, _PHONE_SHAPE, _NATIONAL_SHAPE = b"0" * 15, b"+00000", b"0" * 10
_HOST = re.compile(r"@(?<=[\w.+'-]@)(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2}")


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


def is_phone_number(number: str) -> bool:
    """As many digits as one with its country has (ITU-T E.164), in groups as people write them."""
    groups = re.findall(r"[0-9]+", number)
    return 9 <= sum(map(len, groups)) <= 15 and (len(groups) != 2 or len(groups[1]) >= 6) and len(groups) < 7


def is_personal_address(address: str) -> bool:
    """An address that may be somebody's: not one of documentation (RFC 2606), of a service, or of a version control."""
    local, _, host = address.lower().rpartition("@")
    invented = host.split(".")[-1] in {"example", "test", "invalid", "localhost"} or "example." in f".{host}"
    return not invented and local not in {"git", "noreply", "no-reply"} and "noreply" not in host


_LONG_NUMBER = re.compile(r"[0-9]{4}[ -]?[0-9]{4}")

KINDS = (
    SensitiveKind(
        "private_key",
        ("PRIVATE KEY-----",),
        re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"),
        # Its lines too, also where they stand as `\\n` within a text that is JSON itself, and without an end.
        whole=re.compile(
            r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"
            r"(?>(?:\\[nr]|\s)*+(?:Proc-Type|DEK-Info):[^\n\\]{0,100}+)*+"
            r"(?>(?:\\[nr]|\s)*+[A-Za-z0-9+/=]{20,}+)*+"
            r"(?>(?:\\[nr]|\s)*+[A-Za-z0-9+/=]{1,19}+(?=(?:\\[nr]|\s)*+-----END))?+"
            r"(?>(?:\\[nr]|\s)*+-----END (?:[A-Z]+ )?PRIVATE KEY-----)?+"
        ),
    ),
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
        re.compile(r"(?<![\w.+-])\w[\w.+'-]*@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}\b"),
        is_personal_address,
        lambda text, _outline: _HOST.search(text) is not None,
        Around(re.compile(r"(?<=[\w.+'-])@(?=[A-Za-z0-9])"), 64, 255, re.compile(r"(?<![\w.+-])\w[\w.+'-]*\Z")),
    ),
    SensitiveKind(
        "iban",
        (),
        re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"),
        is_iban,
        lambda _text, outline: _IBAN_SHAPE.search(outline) is not None,
        Around(_LONG_NUMBER, 32, 40),
    ),
    SensitiveKind(
        "payment_card",
        (),
        re.compile(r"(?<![\w.-])[3-6][0-9]{3}(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{3,4}(?![\w.-])"),
        is_card_number,
        lambda _text, outline: _CARD_SHAPE in outline,
        Around(_LONG_NUMBER, 0, 24),
    ),
    SensitiveKind(
        "phone",
        ("+",),
        # ITU-T E.164, in groups; or in one piece, but not at the beginning of a line, where a diff has its `+`.
        re.compile(
            r"(?<![\w+])\+[1-9](?:[0-9]{0,2}(?:[ -]\(?[0-9]{1,8}\)?){1,6}|(?<=[^\n]\+[1-9])[0-9]{9,13})(?![\w-])"
        ),
        is_phone_number,
        lambda _text, outline: _PHONE_SHAPE in outline,
        Around(re.compile(r"(?<![\w+])\+(?=[1-9])"), 0, 32),
    ),
    # Without a country a number has no mark. That of North America has a shape: three groups, of which neither area
    # nor exchange begins with 0 or 1 (NANP), with hyphens as nobody writes a date or a version.
    SensitiveKind(
        "phone",
        (),
        re.compile(r"(?<![\w.+/-])(?<!\+1 )(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}-)[2-9][0-9]{2}-[0-9]{4}(?![\w-])"),
        may_hold=lambda _text, outline: _NATIONAL_SHAPE in outline,
        around=Around(re.compile(r"-(?<=[-) ][2-9][0-9]{2}-)(?=[0-9]{4}(?![\w-]))"), 9, 6),
    ),
)
"""In the order in which they are reported."""

KIND_NAMES = tuple(dict.fromkeys(kind.name for kind in KINDS))
_MARKS = tuple(mark for kind in KINDS for mark in kind.marks)


def count_sensitive_values(text: str) -> dict[str, int]:
    """How many different values of each kind stand in a text; kinds without any are left out."""
    text = text[:LONGEST]
    found: dict[str, int] = {}
    for kind in _possible_kinds(text):
        if count := sum(map(kind.valid, _values(kind, kind.pattern, text))):
            found[kind.name] = found.get(kind.name, 0) + count
    return found


def find_sensitive_values(text: str, kinds: Collection[str] = KIND_NAMES) -> dict[str, str]:
    """The different values in all of a text, each with its kind; the longest first, so that none is a part of one that
    comes later.
    """
    found: dict[str, str] = {}
    for kind in _possible_kinds(text):
        if kind.name in kinds:
            for value in filter(kind.valid, _values(kind, kind.whole or kind.pattern, text)):
                found.setdefault(value, kind.name)
    return dict(sorted(found.items(), key=lambda one: (-len(one[0]), one[0])))


def _possible_kinds(text: str) -> Iterator[SensitiveKind]:
    """Most texts hold no mark, and no pattern is tried."""
    outline = _outline(text)
    marks_in_text = {mark for mark in _MARKS if mark in text}
    for kind in KINDS:
        has_mark = not kind.marks or not marks_in_text.isdisjoint(kind.marks)
        if has_mark and kind.may_hold(text, outline):
            yield kind


def _values(kind: SensitiveKind, pattern: re.Pattern[str], text: str) -> set[str]:
    if kind.around is not None:
        return set(_values_around(kind, kind.around, pattern, text))
    values = set()
    for start in range(0, len(text), PIECE):
        for match in pattern.finditer(text, start, start + PIECE + LONGEST_VALUE):
            if match.start() >= start + PIECE:
                break  # the next piece has it
            values.add(match[0])
    return values


def _values_around(kind: SensitiveKind, around: Around, pattern: re.Pattern[str], text: str) -> Iterator[str]:
    done = 0
    for at in _places(kind.marks, around.places, text):
        if at < done:
            continue
        start, end = max(done, at - around.before), at + around.after
        if around.head is None:
            match = pattern.search(text, start, end)
        else:
            head = around.head.search(text, start, at)
            match = None if head is None else pattern.match(text, head.start(), end)
        if match is not None and match.start() <= at < match.end():
            yield match[0]
            done = match.end()


def _places(marks: Sequence[str], places: re.Pattern[str], text: str) -> Iterator[int]:
    """Where a value may be: a fixed string is found ten times as fast as a pattern."""
    for mark in marks:
        at = text.find(mark)
        while at >= 0:
            if places.match(text, at):
                yield at
            at = text.find(mark, at + 1)
    if not marks:
        yield from (place.start() for place in places.finditer(text))
