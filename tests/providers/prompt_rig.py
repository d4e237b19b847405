"""Requests taken apart, for the tests of each dialect."""

import json

from modicum.calls.change import Change, DoesNotFit
from modicum.providers.dialects import DIALECTS


def prompt(dialect, **request):
    return DIALECTS[dialect].prompt(json.dumps({"model": "m", **request}).encode())


def told(found):
    return [(unit.kind.value, unit.name, unit.text, set(unit.links)) for unit in found.units]


def only(found, kept):
    """The request with these units alone; None where it does not fit."""
    gone = frozenset(range(len(found.units))) - {unit.place for unit in kept}
    try:
        return found.write(Change(left_out=gone))
    except DoesNotFit:
        return None
