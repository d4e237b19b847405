"""What the user of an agent can change: the setting, the file and the text, where an agent has one for a finding.

Findings name what was wasted in general terms (`remedy`). Who uses Claude Code cannot set a cache mark on a request;
this table says what they can set instead. It is data, dated and with its sources, and `docs/findings.md` shows it.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np

from modicum.insights.history import History

MAIN_SHARE = 0.5
"""The advice is for the agent that made at least this share of the bill."""


class ClientAdvice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be done about one finding with one agent.

    Attributes:
        who: `you` can change it, or nobody but the `vendor`.
        how: what to do, in a sentence.
        place: the file that `paste` goes into; empty: there is none.
        since: the version that has the setting; empty: not known.
        checked: when the source was read.
        client: the agent, as sources of logs are named.
    """

    who: str
    how: str
    place: str
    paste: str
    since: str
    source: str
    checked: date
    client: str = ""


@cache
def load_client_advice() -> Mapping[str, Mapping[str, ClientAdvice]]:
    """All of it, by source and name of the finding."""
    text = files("modicum.insights.advice").joinpath("client_advice.toml").read_text(encoding="utf-8")
    rows = msgspec.convert(tomllib.loads(text), dict[str, dict[str, ClientAdvice]])
    return {
        client: {name: msgspec.structs.replace(one, client=client) for name, one in advice.items()}
        for client, advice in rows.items()
    }


def advice_for(history: History) -> Mapping[str, ClientAdvice]:
    """By name of a finding, what the user of the agent can do that made most of this history; empty: no agent did."""
    costs = np.nan_to_num(history.cost_usd)
    whole = float(costs.sum())
    for code, source in enumerate(history.sources):
        if whole and float(costs[history.source == code].sum()) >= MAIN_SHARE * whole:
            return load_client_advice().get(source, {})
    return {}
