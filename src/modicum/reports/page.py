"""The audit as one self-contained page: charts, and every finding in plain words with examples and remedy.

The page is made from the JSON document of `modicum audit --json`, so that it can be made again from a file, and shows
nothing that is not in it. No script, nothing fetched when it is opened.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

from modicum.calls.words.percentages import percent
from modicum.insights.dimensions import shown_name
from modicum.reports import charts
from modicum.reports.charts import format_usd
from modicum.reports.detail_words import describe_detail
from modicum.reports.escaping import escape
from modicum.reports.figures import format_tokens, number_of
from modicum.reports.kind_words import name_of_kind

Document = Mapping[str, Any]

CLASSES = {
    "exact": "exact: nobody would miss it",
    "replayed": "replayed under the provider's cache rules",
    "upper_bound": "at most this; in no sum",
    "headroom": "to be proved by an experiment; in no sum",
    "info": "a figure to know",
}


STEPS_SHOWN = 3
MOST_SPENDERS = 12
MOST_PROBLEMS = 20
MOST_DAYS = 400
"""Between the first and the last day; of longer times only days with calls are drawn."""
MOST_BREAKS = 10
"""Lost caches that are listed below the timeline."""


def render_page(document: Document) -> str:
    """The whole page as HTML."""
    style = (files("modicum.reports") / "page.css").read_text(encoding="utf-8")
    sections = (
        *(_head, _first_steps, _what_ifs, _money, _spenders, _days, _cache, _cap_curve, _rules, _findings),
        *(_not_computed, _problems),
    )
    body = "\n".join(part for section in sections if (part := section(document)))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>Token audit</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _head(document: Document) -> str:
    spend = document.get("spend") or {"basis": "exact"}
    tiles = [
        (words_of_cost(document["cost_usd"], spend["basis"]), f"spent in {number_of(document['calls'], 'call')}"),
        (f"{document['tasks']:,}", "tasks"),
        (
            format_usd(document["joint_saving_usd"]),
            f"would be saved together, {percent(document['joint_saving_share'])} of it",
        ),
    ]
    fidelity = document["fidelity"]
    share = fidelity["unexplained_share"]
    breaks = f"; {percent(share)} of the cost is in cache breaks that nothing explains and that keep their cost"
    breaks = breaks if fidelity["unexplained_calls"] else ""
    bound = ' class="bound"' if document["is_bound"] else ' class="quiet"'
    note = (
        " That is more than 2 %, 3 % or, unexplained, 10 %, so replayed figures are bounds."
        if document["is_bound"]
        else ""
    )
    return (
        f'<h1>Where the tokens went</h1>\n<p class="quiet">{escape(_origin(document))}</p>\n'
        '<div class="tiles">'
        + "".join(f'<div class="tile"><b>{escape(value)}</b>{escape(label)}</div>' for value, label in tiles)
        + f"</div>\n<p{bound}>Every saving is a replay of this history. Replayed without any change it comes out "
        f"{percent(fidelity['total_error'], sign='+')} off the record in total, "
        f"{percent(fidelity['median_task_error'])} off for the median task{breaks}.{note}</p>"
    )


def _first_steps(document: Document) -> str:
    if own := [step for step in document.get("steps", ()) if step["who"] == "you"]:
        return f"<h2>To do first</h2>\n<ol>{''.join(map(_step, own[:STEPS_SHOWN]))}</ol>"
    rows = {row["name"]: row for row in document["findings"]}
    steps = [rows[name] for name in document["first_steps"] if name in rows]
    if not steps:
        return ""
    items = "".join(f"<li><b>{escape(row['title'])}</b>: {_format_saving(row)}. {_remedy(row)}</li>" for row in steps)
    return f"<h2>To do first</h2>\n<ol>{items}</ol>"


def _step(step: Document) -> str:
    """What the user of the agent can set, with what a replay of this history says it saves."""
    into = f"into {escape(step['place'])}" if step["place"] else "type"
    paste = f" {into}: <code>{escape(step['paste'])}</code>" if step["paste"] else ""
    return (
        f"<li><b>{escape(step['title'])}</b>: {_format_saving(step)}. {escape(step['client'])}: "
        f"{escape(step['how'])}{paste}</li>"
    )


def _money(document: Document) -> str:
    parts = [part for part in document["rent"]["parts"] if (part["cost_usd"] or 0) > 0]
    if not parts:
        return ""
    rows = [(name_of_kind(part["name"]), part["cost_usd"]) for part in parts]
    return (
        "<h2>Where the money went</h2>\n<p>A block of text is paid when it is first sent, and again in every later "
        "call that carries it. Providers count whole prompts; the shares of their parts are our estimate.</p>\n"
        f"{_figure(charts.draw_bars(rows), 'Cost by what it was spent on')}"
    )


def _findings(document: Document) -> str:
    shown = [row for row in document["findings"] if not row["lacks"] and row["calls"]]
    if not shown:
        return "<h2>Findings</h2>\n<p>No waste of the known kinds was found.</p>"
    order = list(CLASSES)
    shown.sort(key=lambda row: (order.index(row["finding_class"]) // 2, -(row["saving_usd"] or 0)))
    cards = "\n".join(_card(row) for row in shown)
    return (
        "<h2>Findings</h2>\n<p>Exact and replayed findings are also replayed together, so that they never add up to "
        f"more than was spent: together {format_usd(document['joint_saving_usd'])}.</p>\n{cards}"
    )


def _card(row: Document) -> str:
    examples = ", ".join(f"<code>{escape(example)}</code>" for example in row["examples"])
    return (
        f'<section class="finding {escape(row["finding_class"])}" id="{escape(row["name"])}"><header>'
        f'<h3>{escape(row["title"])}</h3><span class="class">{escape(CLASSES[row["finding_class"]])}</span>'
        f'<span class="saves">{_format_saving(row)}</span></header>'
        f"<p>{escape(row['what'])}</p>"
        f'<p class="quiet">{number_of(row["calls"], "call")}, {format_tokens(row["tokens"])} tokens, '
        f"{format_usd(row['gross_usd'])} in the record{_details(row['details'])}</p>"
        f"<p><b>Remedy.</b> {_remedy(row)}</p>"
        f'<p class="guard">{escape(row["guard"])}</p>'
        + (f'<p class="quiet">Look at: {examples}</p>' if examples else "")
        + "</section>"
    )


def _remedy(row: Document) -> str:
    """What to do: with the agent at hand, if it has something for it."""
    advice = row.get("advice")
    if not advice:
        return escape(row["remedy"])
    into = f" Into {escape(advice['place'])}: <code>{escape(advice['paste'])}</code>" if advice["paste"] else ""
    return f"{escape(advice['client'])}: {escape(advice['how'])}{into}"


def _format_saving(row: Document) -> str:
    saving = row["saving_usd"]
    if saving is None:
        return f"{format_usd(row['gross_usd'])}, no claim"
    share = f" ({percent(abs(row['saving_share']))})"
    if saving < 0:
        return f"would cost {format_usd(-saving)} more{share}"
    # What only an experiment can prove is not worded like what a replay has shown.
    sure = row["finding_class"] in {"exact", "replayed"}
    return f"saves {'' if sure else 'at most '}{format_usd(saving)}{share}"


def _details(details: Mapping[str, Any]) -> str:
    sentences = [describe_detail(name, value) for name, value in details.items() if value]
    return f" · {escape(' · '.join(sentences))}" if sentences else ""


def _cap_curve(document: Document) -> str:
    points = document.get("cap_curve") or []
    if not points:
        return ""
    drawn = charts.draw_curve(
        [(f"{point['cap_tokens']:,}", 100 * point["saving_share"]) for point in points],
        lambda share: percent(share / 100, 0),
        "tokens at which a tool result is cut",
    )
    rows = [
        [
            number_of(point["cap_tokens"], "token"),
            f"{point['results']:,}",
            format_usd(point["gross_usd"]),
            format_usd(point["saving_usd"]),
            percent(point["saving_share"]),
        ]
        for point in points
    ]
    caption = "Share of the cost saved, by the size at which results are cut"
    return (
        "<h2>If tool results were cut when they arrive</h2>\n<p>Headroom: what is cut may be needed and read again, "
        f"which is not counted here.</p>\n{_figure(drawn, caption)}"
        f"{_table(['cut at', 'results cut', 'in the record', 'saves', 'share'], rows)}"
    )


def _what_ifs(document: Document) -> str:
    what_ifs = document.get("what_if") or []
    if not what_ifs:
        return ""
    rows = [
        [
            one["name"],
            one["finding_class"].replace("_", " "),
            format_usd(one["saving_usd"]),
            percent(one["saving_share"], sign="+"),
            _format_span(one),
        ]
        for one in what_ifs
    ]
    rows.append(
        [
            "together",
            "",
            format_usd(document["what_if_saving_usd"]),
            percent(document["what_if_saving_share"], sign="+"),
            "",
        ]
    )
    return f"<h2>What if</h2>\n{_table(['change', 'class', 'saves', 'share', 'between'], rows, left=2)}"


def _format_span(what_if: Document) -> str:
    """Between what the saving lies; empty where the figure stands."""
    low, high = what_if.get("saving_share_low"), what_if.get("saving_share_high")
    return "" if low is None or high is None else f"{percent(low, sign='+')} and {percent(high, sign='+')}"


def _cache(document: Document) -> str:
    found = document.get("cache_timeline")
    if not found:
        return ""
    calls = found["calls"]
    drawn = charts.draw_timeline(
        {
            "prompt": [(number, call["prompt_tokens"]) for number, call in enumerate(calls, 1)],
            "read from cache": [(number, call["cache_read"]) for number, call in enumerate(calls, 1)],
        },
        [(number, call["cache_read"], call["lost"]) for number, call in enumerate(calls, 1) if call["lost"]],
        "call",
    )
    lost = [(number, call) for number, call in enumerate(calls, 1) if call["lost"]]
    rows = [
        [
            call["call_id"],
            call["lost"],
            f"{number:,}",
            format_tokens(call["prompt_tokens"]),
            format_tokens(call["cache_read"]),
        ]
        for number, call in lost[:MOST_BREAKS]
    ]
    left = f" Its first {number_of(len(calls), 'call is', 'calls are')} shown." if found["calls_left_out"] else ""
    return (
        "<h2>When the cache was lost</h2>\n<p>The task that paid most for writing again what had stood in the cache: "
        f"<code>{escape(found['task'])}</code>, {format_usd(found['written_again_usd'])}.{left}</p>\n"
        f"{_figure(drawn, 'Tokens sent and tokens read from the cache, call by call')}"
        f"{_table(['call', 'why', 'number', 'prompt', 'read from cache'], rows, left=2)}"
    )


def _days(document: Document) -> str:
    days = document.get("days") or []
    if not days:
        return ""
    called = len(days)
    days = _with_idle_days(days)
    labels = [day["date"][5:] for day in days]
    series = {
        "read from cache": [day["cache_read"] for day in days],
        "written to cache": [day["cache_write"] for day in days],
        "uncached input": [day["input_uncached"] for day in days],
        "output": [day["output"] for day in days],
    }
    idle = len(days) - called
    parts = [
        "<h2>Day by day</h2>",
        f"<p>{number_of(called, 'day')} with calls, {idle:,} without any.</p>" if idle else "",
        _figure(charts.draw_stacked(labels, {"cost": [day["cost_usd"] for day in days]}, format_usd), "Dollars by day"),
        _figure(charts.draw_stacked(labels, series, format_tokens), "Tokens by day"),
    ]
    days_with_outcome = [day for day in days if day["tasks_with_outcome"]]
    if days_with_outcome:
        values = [(day["date"][5:], day["outcome_value"] / day["tasks_with_outcome"]) for day in days_with_outcome]
        parts.append(
            _figure(
                charts.draw_curve(values, lambda value: f"{value:.2f}", "day"), "Outcome per task, by the day it began"
            )
        )
    else:
        parts.append('<p class="quiet">No outcomes are known; add them with <code>modicum outcome import</code>.</p>')
    return "\n".join(parts)


def _with_idle_days(days: Sequence[Document]) -> list[Document]:
    """With days on which nobody called between the first and the last."""
    first, last = (date.fromisoformat(days[place]["date"]) for place in (0, -1))
    if (last - first).days > MOST_DAYS:
        return list(days)
    by_date = {day["date"]: day for day in days}
    nothing = dict.fromkeys(days[0], 0)
    every = (str(first + timedelta(days=number)) for number in range((last - first).days + 1))
    return [by_date.get(name, {**nothing, "date": name}) for name in every]


def _not_computed(document: Document) -> str:
    rows = [[f"{row['id']} {row['title']}", row["lacks"]] for row in document["findings"] if row["lacks"]]
    if document["calls_unpriced"]:
        rows.append([number_of(document["calls_unpriced"], "call"), "no known price, and in no sum"])
    if document["calls_without_anatomy"]:
        rows.append(
            [number_of(document["calls_without_anatomy"], "call"), "usage only: what their prompts held is not known"]
        )
    return f"<h2>Not computed</h2>\n{_table(['what', 'what is lacking'], rows, left=2)}" if rows else ""


def _origin(document: Document) -> str:
    """Of what the page is, and when it was made."""
    days = document.get("days") or []
    words = [f"{days[0]['date']} to {days[-1]['date']} ({document.get('timezone', 'UTC')})"] if days else []
    if place := document.get("place"):
        words.append(f"from {place}")
    if made := document.get("made_at"):
        words.append(f"made {str(made)[:16].replace('T', ' ')} UTC")
    return "; ".join([*words, "list prices of the day of each call"])


def _spenders(document: Document) -> str:
    """Models and projects, with how sure each figure is."""
    spend = document.get("spend")
    if not spend:
        return ""
    parts = []
    for title, key in (("model", "models"), ("project", "projects")):
        rows = [
            [shown_name(row["name"]), f"{row['calls']:,}", words_of_cost(row["cost_usd"], row["basis"])]
            for row in spend[key][:MOST_SPENDERS]
        ]
        if more := len(spend[key]) - MOST_SPENDERS:
            rows += [[f"and {more:,} more", "", ""]] if more > 0 else []
        parts.append(_table([title, "calls", "cost"], rows))
    return "<h2>Models and projects</h2>\n" + "\n".join(parts)


def words_of_cost(usd: float | None, basis: str) -> str:
    """`at least $876.74` where the record holds this or more, `about` where it is an estimate."""
    if usd is None:
        return "no price is known"
    return {"lower_bound": "at least ", "estimated": "about "}.get(basis, "") + format_usd(float(usd))


def _rules_today(today: dict[str, Any] | None) -> list[tuple[str, dict[str, Any]]]:
    """The sets at the prices of today."""
    if not today:
        return []
    names = {"default": "those that run by themselves", "lossless": "these, with pings", "every": "all, with pings"}
    return [(f"{name}, at the prices of {today['day']}", today[key]) for key, name in names.items()]


def _rules(document: Document) -> str:
    """What the rules of the gateway and library would have saved, each alone and together."""
    savings = document.get("rule_savings")
    if not savings or not savings["rules"]:
        return ""
    rows = [
        [
            label,
            one["finding_class"].replace("_", " "),
            format_usd(one["saving_usd"]),
            percent(one["saving_share"]),
            _format_span(one),
        ]
        for label, one in (
            *((one["name"], one) for one in savings["rules"]),
            ("those that run by themselves, together", savings["default"]),
            ("these, with pings", savings["lossless"]),
            ("these and those that an owner has to weigh", savings["every"]),
            *_rules_today(savings.get("today")),
        )
    ]
    return (
        "<h2>What rules would have saved</h2>\n<p>The very rules of modicum's gateway and library, replayed over this "
        "history (<code>modicum optimize list</code> explains them).</p>\n"
        f"{_table(['rule alone', 'class', 'saves', 'share', 'between'], rows, left=2)}"
    )


def _problems(document: Document) -> str:
    problems = document.get("problems") or []
    if not problems:
        return ""
    rows = [
        [row["path"] + (f":{row['line']}" if row["line"] is not None else ""), row["reason"]]
        for row in problems[:MOST_PROBLEMS]
    ]
    more = f"<p>And {len(problems) - MOST_PROBLEMS:,} more.</p>" if len(problems) > MOST_PROBLEMS else ""
    return f"<h2>Problems in the logs</h2>\n{_table(['where', 'what is wrong'], rows, left=2)}{more}"


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A table whose first `left` columns are text and whose others are figures."""

    def cells(row: Sequence[str], tag: str) -> str:
        sides = [' class="text"' if place < left else "" for place in range(len(row))]
        return "".join(f"<{tag}{side}>{escape(cell)}</{tag}>" for cell, side in zip(row, sides, strict=True))

    head = cells(columns, "th")
    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    label = escape(f"table of {columns[0]}")
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">{table}</div>'
