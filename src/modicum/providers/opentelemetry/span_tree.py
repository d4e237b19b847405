"""Spans stand inside each other; a call that several of them tell of is counted once."""

from collections.abc import Collection, Mapping

MOST_LEVELS = 1000
"""A tree of spans that is deeper is a mistake, and following it would take for ever."""


def standing(spans: Collection[str], known: Collection[str], tree: Mapping[str, str]) -> set[str]:
    """Which of the spans of model calls are counted: each call where it is nearest to the provider.

    Frameworks and clients are often instrumented both, so that a call stands inside another. The inner one stands,
    unless only the outer one knows its tokens.

    Args:
        spans: places of spans.
        known: those whose tokens are known.
        tree: the place of each span, and of the one above it.
    """
    known = set(known)
    sums = {span for inner in known for span in above(inner, tree)}
    return {span for span in spans if span not in sums and (span in known or not (above(span, tree) & known) - sums)}


def above(span: str, tree: Mapping[str, str]) -> set[str]:
    """All that stand above a span, as far as the tree is there; nothing in a tree that is a circle."""
    found: set[str] = set()
    parent = tree.get(span, "")
    while parent and len(found) < MOST_LEVELS:
        if parent == span or parent in found:
            return set()
        found.add(parent)
        parent = tree.get(parent, "")
    return found
