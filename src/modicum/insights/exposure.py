"""Exposure: what was sent to whom, and how many secrets and personal data were seen in it, by kind. Never a value."""

from datetime import datetime

import msgspec

from modicum.insights.scoping.persons import PERSONAL, PersonRule, show_names
from modicum.ledger.store import Store
from modicum.privacy.tags import LOOKED_AT, is_redacted, seen_in

EVERYONE = PersonRule(frozenset(), shows_everyone=True)


class ExposureRow(msgspec.Struct, kw_only=True):
    name: str
    calls: int = 0
    prompt_tokens: int = 0
    """Of all calls, re-reads included."""
    calls_not_looked_at: int = 0
    """Whether they held anything is not known: without anatomy (so are calls from spans, and those whose gateway worker
    was killed), or the gateway had no time to look at all of their texts."""
    first_sent_tokens: dict[str, int] = {}
    """By kind of segment, when first sent."""
    seen: dict[str, int] = {}
    """Different values per text, summed over the texts that held them."""
    redacted: dict[str, int] = {}
    """Of those seen, the ones of calls whose values of that kind did not leave: placeholders stood for them."""


def measure_exposure(
    store: Store, by: str, since: datetime, until: datetime, persons: PersonRule = EVERYONE
) -> list[ExposureRow]:
    """One row per provider or part of the owner (`dimensions.EXPOSURE`), the most tokens first; persons by their names.

    Args:
        store: the ledger.
        by: the dimension.
        since: the first moment.
        until: the first moment after it.
        persons: who is shown by name.
    """
    found: dict[str, ExposureRow] = {}
    rows = store.ask("exposure", by=by, since=since, until=until)
    shown = show_names((row["name"] for row in rows), by, persons)
    for row in rows:
        name = shown[row["name"]]
        one = found.setdefault(name, ExposureRow(name=name))
        one.calls += int(row["calls"])
        one.prompt_tokens += int(row["prompt_tokens"])
        one.calls_not_looked_at += int(row["calls_without_anatomy"])
        tags = msgspec.json.decode(row["tags"], type=dict[str, str])
        if LOOKED_AT not in tags:
            one.calls_not_looked_at += int(row["calls_by_gateway"])
        for kind, count in seen_in(tags).items():
            # Entries of one set of tags are one row: each of its calls holds as many.
            values = count * int(row["calls"])
            one.seen[kind] = one.seen.get(kind, 0) + values
            if is_redacted(tags, kind):
                one.redacted[kind] = one.redacted.get(kind, 0) + values
    for row in store.ask("exposure_kinds", by=by, since=since, until=until):
        sent = found[shown[row["name"]]].first_sent_tokens
        sent[row["kind"]] = sent.get(row["kind"], 0) + int(row["tokens"])
    # What the gateway answered from memory was sent to nobody.
    sent_to = (one for one in found.values() if one.calls or one.prompt_tokens or one.first_sent_tokens)
    return sorted(sent_to, key=lambda one: (0 if by in PERSONAL else -one.prompt_tokens, one.name))
