"""What the user of an agent can change: the setting, the file and the text, where an agent has one for a finding.

Findings name what was wasted in general terms (`remedy`). Who uses Claude Code cannot set a cache mark on a request;
this table says what they can set instead. It is data, dated and with its sources, and `docs/findings.md` shows it.
"""

import tomllib
from collections.abc import Sequence
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np

from modicum.insights.history import History

MAIN_SHARE = 0.5
"""The advice is for the agent that made at least this share of the bill."""
OF_THE_FINDING = "finding"
"""The `replay` of advice that is just what the finding replays."""


class ClientAdvice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that can be done about a finding with one agent.

    Attributes:
        client: the agent, as sources of logs are named.
        name: by which `modicum fix` knows it.
        finding: what it is about.
        who: `you` can change it, or nobody but the `vendor`.
        how: what to do, in a sentence.
        kind: of what is pasted: `json`, `toml` or `markdown` for a file, `command` for a shell; empty: there is none.
        place: the file that `paste` goes into; empty: there is none.
        replay: the change of history that this is, as `--what-if` reads it; empty: no log shows it.
        since: the version that has the setting; empty: not known.
        checked: when the source was read.
    """

    client: str
    name: str
    finding: str
    title: str
    who: str
    how: str
    kind: str
    place: str
    paste: str
    replay: str
    since: str
    source: str
    checked: date


class _AdviceFile(msgspec.Struct, forbid_unknown_fields=True):
    advice: tuple[ClientAdvice, ...]


@cache
def load_client_advice() -> tuple[ClientAdvice, ...]:
    """All of it, in the order of the file."""
    text = files("modicum.insights.advice").joinpath("client_advice.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _AdviceFile).advice


def advice_for(history: History) -> Sequence[ClientAdvice]:
    """What the user of the agent can do that made most of this history; empty: no agent did."""
    costs = np.nan_to_num(history.cost_usd)
    whole = float(costs.sum())
    for code, source in enumerate(history.sources):
        if whole and float(costs[history.source == code].sum()) >= MAIN_SHARE * whole:
            return [one for one in load_client_advice() if one.client == source]
    return ()
