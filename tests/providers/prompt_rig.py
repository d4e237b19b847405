"""Requests taken apart, for the tests of each dialect."""

import json

from modicum.providers.dialects import DIALECTS


def prompt(dialect, **request):
    return DIALECTS[dialect].prompt(json.dumps({"model": "m", **request}).encode())


def told(found):
    return [(unit.role, unit.name, unit.text, set(unit.links)) for unit in found.units]
