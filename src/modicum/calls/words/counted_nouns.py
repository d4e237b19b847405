"""A number with its noun, which agree: `1 call`, `2 calls`."""


def number_of(number: int, noun: str, plural: str = "") -> str:
    """`1 call`, `1,234 calls`. `plural`: of a noun that does not only take an `s` (`entries`, `calls of a tool`)."""
    return f"{number:,} {noun_for(number, noun, plural)}"


def noun_for(number: int, noun: str, plural: str = "") -> str:
    """The noun alone, where the number stands elsewhere; a verb just so: `noun_for(calls, "is", "are")`."""
    return noun if number == 1 else plural or f"{noun}s"
