"""Invented words: code, logs and sentences of a small shop, from a seed."""

import random

NOUNS = [
    "order",
    "basket",
    "price",
    "stock",
    "customer",
    "address",
    "invoice",
    "refund",
    "parcel",
    "label",
    "carrier",
    "voucher",
    "discount",
    "tax",
    "shelf",
    "pallet",
    "return",
    "receipt",
    "supplier",
    "delivery",
    "quantity",
    "total",
    "currency",
    "rounding",
    "warehouse",
    "picker",
    "route",
    "depot",
    "slot",
]
VERBS = [
    "load",
    "save",
    "check",
    "count",
    "send",
    "group",
    "merge",
    "split",
    "find",
    "drop",
    "keep",
    "move",
    "sort",
    "join",
    "print",
    "parse",
    "fetch",
    "close",
]
SHAPES = (
    "    {a} = {v}_{b}(self.{c}, {n})",
    "    if {a}.{b} > {n}:",
    "        return {v}_{a}({b}, {c})",
    "    for {a} in self.{b}.{c}s({n}):",
    "        self.{a}[{b}.id] += {c}.{v}({n})",
    '    log.info("{v} {a} %s of {b}", {c}.{a})',
    "    assert {a}.{b} is not None  # {v} the {c} first",
    "def {v}_{a}({b}: {C}, {c}: int = {n}) -> {A}:",
    '    """{V} the {a} of each {b}, {n} at a time."""',
    '    raise {A}Error(f"cannot {v} {a} {{{b}.id}}")',
)


class Writer:
    """Everything that is said in the sample, in a row of chance that always runs the same."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def noun(self) -> str:
        return self.chance.choice(NOUNS)

    def prose(self, sentences: int) -> str:
        said = []
        for _ in range(sentences):
            verb, other, third = (self.chance.choice(VERBS) for _ in range(3))
            one, two = self.noun(), self.noun()
            said.append(
                self.chance.choice(
                    (
                        f"I {verb} the {one} and then {other} each {two}.",
                        f"The {one} does not {verb} its {two}, so I {other} it first.",
                        f"Before we {verb} a {one}, somebody has to {other} the {two}.",
                        f"{verb.capitalize()} the {one}, {other} the {two}, and {third} the rest.",
                    )
                )
            )
        return " ".join(said)

    def line(self) -> str:
        one, two, three = (self.noun() for _ in range(3))
        verb = self.chance.choice(VERBS)
        names = {"a": one, "b": two, "c": three, "A": one.capitalize(), "C": two.capitalize()}
        return self.chance.choice(SHAPES).format(**names, v=verb, V=verb.capitalize(), n=self.chance.randint(1, 99))

    def code(self, lines: int) -> str:
        return "\n".join(self.line() for _ in range(lines))

    def numbered(self, code: str) -> str:
        """As a tool shows a file."""
        return "\n".join(f"{number:6d}\t{line}" for number, line in enumerate(code.split("\n"), 1))

    def test_run(self, tests: int, failed: int) -> str:
        """What a test runner prints when it prints everything."""
        told = ["============================= test session starts =============================="]
        for number in range(tests):
            name = f"test_{self.chance.choice(VERBS)}_{self.noun()}_{self.chance.randrange(16**4):04x}"
            told.append(f"tests/test_{self.noun()}.py::{name} PASSED [{100 * number // tests:3d}%]")
        for _ in range(failed):
            one, two = self.chance.randint(2, 99), self.chance.randint(2, 99)
            told.append(f"FAILED tests/test_{self.noun()}.py - AssertionError: assert {one} == {two}")
        told.append(f"========================= {failed} failed, {tests} passed in 41.7s =========================")
        return "\n".join(told)

    def log(self, lines: int) -> str:
        rows = []
        for _ in range(lines):
            hour, minute, mark = self.chance.randrange(24), self.chance.randrange(60), self.chance.randrange(16**8)
            said = f"{self.chance.choice(VERBS)} {self.noun()} took {self.chance.randint(2, 900)} ms"
            rows.append(f"2026-03-03T{hour:02d}:{minute:02d}:07Z worker-{mark % 7} {mark:08x} {said}")
        return "\n".join(rows)

    def found(self, word: str, lines: int) -> str:
        """What a search prints."""
        return "\n".join(
            f"src/{self.noun()}/{self.noun()}.py:{self.chance.randint(3, 400)}:{self.line()}  # {word}"
            for _ in range(lines)
        )


def tokens(text: str) -> int:
    """The provider's count: about what its tokenizer makes of code, and nothing that the program can know."""
    return max(1, len(text) * 10 // 34)
