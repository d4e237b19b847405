"""Texts with secrets and personal data, made up: sentences as people and programs write them, values by the shapes that
issuers publish. None is real. They were written before anybody looked at what the patterns find in them; the patterns
themselves are older.
"""

import random
import string

UPPER, LOWER, DIGITS = string.ascii_uppercase, string.ascii_lowercase, string.digits
WORD = LOWER + UPPER + DIGITS
FRAMES = (
    "{}",
    "Please use {} for the next request.",
    'config = {{"value": "{}", "retries": 3}}',
    "2026-11-03T10:12:44Z INFO handler: sent {} to queue-7",
    "| field | {} |",
    "export SECRET={}\n",
    "(see {}), as agreed on Monday.",
    "Von: {}\nBetreff: Rechnung 4711",
    "<td>{}</td>",
    "url?q={}&page=2",
)


def _pick(chance, letters, count):
    return "".join(chance.choice(letters) for _ in range(count))


def _luhn(chance, start, length):
    digits = [int(digit) for digit in start + _pick(chance, DIGITS, length - len(start) - 1)]
    total = sum(digit if place % 2 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(reversed(digits)))
    return "".join(map(str, digits)) + str(-total % 10)


def _card(chance):
    number = _luhn(chance, chance.choice(["4", "51", "55", "6011"]), 16)
    sign = chance.choice(["", " ", "-"])
    return sign.join(number[at : at + 4] for at in range(0, 16, 4))


def _iban(chance):
    country, length = chance.choice([("DE", 18), ("FR", 23), ("NL", 14), ("GB", 18), ("ES", 20)])
    inner = _pick(chance, DIGITS, length)
    if country in {"NL", "GB"}:
        inner = _pick(chance, UPPER, 4) + inner[4:]
    value = int("".join(str(int(sign, 36)) for sign in f"{inner}{country}00"))
    number = f"{country}{98 - value % 97:02}{inner}"
    return chance.choice([number, " ".join(number[at : at + 4] for at in range(0, len(number), 4))])


def _phone(chance):
    """As people write them: with and without the country, in the groups of it."""
    shape = chance.choice(
        [
            "+49 ### #######",
            "+1 ### ### ####",
            "+1-###-###-####",
            "+44 20 #### ####",
            "+33 # ## ## ## ##",
            "+46 ## ### ## ##",
            "(###) ###-####",
            "###-###-####",
            "0## ########",
            "+1##########",
        ]
    )
    return "".join(chance.choice("23456789") if sign == "#" else sign for sign in shape)


def _email(chance):
    first, last = chance.choice(["ada", "grace", "alan", "joão", "mary-ann"]), chance.choice(["hopper", "b", "o'neil"])
    host = chance.choice(["corp-mail.com", "uni.ac.uk", "firma.de", "mail.co"])
    return f"{first}.{last}{chance.choice(['', '+news', '99'])}@{host}"


def _private_key(chance):
    lines = "\n".join(_pick(chance, WORD + "+/", 64) for _ in range(6))
    kind = chance.choice(["", "RSA ", "EC ", "OPENSSH "])
    return f"-----BEGIN {kind}PRIVATE" + f" KEY-----\n{lines}\n-----END {kind}PRIVATE" + " KEY-----"


MAKERS = {
    "private_key": _private_key,
    "aws_key": lambda chance: "AKIA" + _pick(chance, UPPER + "234567", 16),
    "github_token": lambda chance: chance.choice(["ghp_", "gho_", "ghs_"]) + _pick(chance, WORD, 36),
    "model_key": lambda chance: chance.choice(["sk-proj-", "sk-ant-api03-", "sk-or-v1-"]) + _pick(chance, WORD, 60),
    "google_key": lambda chance: "AIza" + _pick(chance, WORD + "-_", 35),
    "slack_token": lambda chance: (
        f"xoxb-{_pick(chance, DIGITS, 12)}-{_pick(chance, DIGITS, 12)}-{_pick(chance, WORD, 24)}"
    ),
    "stripe_key": lambda chance: "sk_live_" + _pick(chance, WORD, 24),
    "jwt": lambda chance: f"eyJ{_pick(chance, WORD, 30)}.eyJ{_pick(chance, WORD, 80)}.{_pick(chance, WORD + '-_', 43)}",
    "email": _email,
    "iban": _iban,
    "payment_card": _card,
    "phone": _phone,
}
"""A value of each kind."""

LOOK_ALIKES = {
    "email": lambda chance: chance.choice(
        ["user@example.com", "git@github.com:o/r.git", "noreply@firm.com", "@pytest.fixture"]
    ),
    "iban": lambda chance: f"{_pick(chance, UPPER, 2)}{_pick(chance, DIGITS, 2)} {_pick(chance, DIGITS, 4)} ITEM 2026",
    "payment_card": lambda chance: "4" + _pick(chance, DIGITS, 11) + chance.choice(["0000", "-17"]),
    "phone": lambda chance: chance.choice(
        ["+1 -2 +3", "v+2.1.4", "a + 12 - 3", f"2026-11-{_pick(chance, '12', 2)}", "127.0.0.1"]
    ),
    "aws_key": lambda chance: "AKIA" + _pick(chance, LOWER, 16),
    "model_key": lambda chance: "sk-" + chance.choice(["learn", "skeleton-loader", "a" * 40]),
    "github_token": lambda chance: "ghp_" + _pick(chance, WORD, 12),
    "google_key": lambda chance: "AIza" + _pick(chance, WORD, 12),
    "slack_token": lambda chance: "xoxo-" + _pick(chance, DIGITS, 10),
    "stripe_key": lambda chance: "sk_test_" + _pick(chance, WORD, 24),
    "jwt": lambda chance: "eyJ" + _pick(chance, WORD, 40),
    "private_key": lambda chance: "-----BEGIN PUBLIC KEY-----\n" + _pick(chance, WORD, 64),
    "none": lambda chance: chance.choice(
        [
            _pick(chance, "0123456789abcdef", 40),
            "-".join(_pick(chance, "0123456789abcdef", length) for length in (8, 4, 4, 4, 12)),
            _pick(chance, DIGITS, 13),
            _pick(chance, WORD + "+/", 64) + "==",
        ]
    ),
}
"""What is none: test keys, addresses of documentation, hashes, numbers."""


def make_texts(makers, count, seed):
    """Rows of kind, value and the text around it."""
    chance = random.Random(seed)
    rows = []
    for kind, make in makers.items():
        for number in range(count):
            value = make(chance)
            rows.append((kind, value, FRAMES[number % len(FRAMES)].format(value)))
    return rows
