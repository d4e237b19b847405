"""How counts of what was seen stand in the tags of the call that sent it first: `seen.email` = `2`.

The importers know by its anatomy that a call was looked at. A gateway counts in the background and leaves out what it
has no time for, so its calls say so themselves: `seen` = `all` where every text that was new in a call was looked at.
"""

from collections.abc import Iterable, Mapping

PREFIX = "seen."
REDACTED = "redacted."
"""How many values of a kind did not leave, because placeholders stood for them: `redacted.email` = `2`."""
LOOKED_AT = "seen"


def is_reserved(tag: str) -> bool:
    """Whether a tag is one of these: nobody else may say such a thing of a call."""
    return tag == LOOKED_AT or tag.startswith(PREFIX)


def seen_tags(texts: Iterable[Mapping[str, int]]) -> dict[str, str]:
    """The counts of several texts (`detection.count_sensitive_values`), summed by kind, as tags."""
    counts: dict[str, int] = {}
    for found in texts:
        for kind, count in found.items():
            counts[kind] = counts.get(kind, 0) + count
    return {f"{PREFIX}{kind}": str(count) for kind, count in counts.items()}


def seen_in(tags: Mapping[str, str]) -> dict[str, int]:
    """The counts by kind that stand in a call's tags."""
    return {
        tag.removeprefix(PREFIX): int(count)
        for tag, count in tags.items()
        if tag.startswith(PREFIX) and count.isascii() and count.isdecimal()
    }


def is_redacted(tags: Mapping[str, str], kind: str) -> bool:
    """Whether the values of that kind did not leave with the call."""
    return REDACTED + kind in tags
