"""Log lines that differ in numbers only, as their first line and a count; rare lines all stay."""

import re
from collections import Counter

from modicum.calls.rule import Safety
from modicum.calls.words.counted_nouns import noun_for, number_of
from modicum.optimizers.arrival import arrival_rule

MARK = "[modicum log: "
RARE = 3
"""Lines of a template that comes no more often than this all stay."""
LEAST_LINES = 20
LOOKED_AT_LINES = 200
LEAST_LOG_SHARE = 0.6
"""Of the first lines, those that look like a log's: below it, the text is something else, and stays."""
_BEGINS_LOG = re.compile(
    r"\W{0,3}(?:\d{4}[-/.]\d\d[-/.]\d\d|\d\d[-/.]\d\d[-/. ]|\d{6} \d{6}|\w{3}\s{1,2}(?:\w{3} )?\s?\d{1,2}\s\d\d:\d\d|"
    r"\d{2,4}[-:]\d\d[-:]\d\d|\d{8}-\d|\d{10}\b|- \d{10}\b|\[?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL)\b)"
)
_LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_LEVEL = re.compile(r"\b(?:DEBUG|INFO|WARN|WARNING|ERROR|FATAL)\b")
_VARIABLE = re.compile(r"(?<![\w./:@-])[\w./:@-]*?\d[\w./:@-]*")


def fold_log(text: str) -> str:
    """The text with each template's first line and the number of lines like it that are left out. Lines of rare
    templates all stay, in their places. What does not look like a log stays, and what holds a note of ours.
    """
    if text.count("\n") < LEAST_LINES - 1 or MARK in text or not _is_log(text):
        return text
    lines = text.split("\n")
    templates = [template_of(line) for line in lines]
    counts = Counter(templates)
    shown: set[str] = set()
    folded: list[str] = []
    left_out = 0
    for line, template in zip(lines, templates, strict=True):
        if counts[template] <= RARE or not line.strip():
            folded.append(line)
        elif template not in shown:
            shown.add(template)
            folded.append(f"{line} (x{counts[template]:,})")
            left_out += counts[template] - 1
    if not left_out:
        return text
    note = (
        f"{MARK}{number_of(left_out, 'line')} left out that {noun_for(left_out, 'differs', 'differ')} from a line with "
        "(xN) in numbers and names with digits only]"
    )
    return "\n".join([note, *folded])


def template_of(line: str) -> str:
    """A line without what varies: numbers, and words with digits in them."""
    return _VARIABLE.sub("#", line)


def _is_log(text: str) -> bool:
    levels = [level for level in _LEVELS if level in text]
    full = [line for line in text.split("\n", LOOKED_AT_LINES)[:LOOKED_AT_LINES] if line and not line.isspace()]
    may_differ = len(full) - LEAST_LOG_SHARE * len(full)
    first = full[: int(may_differ) + 1]
    if not levels and list(map(_BEGINS_LOG.match, first)).count(None) > may_differ:
        return False
    different = 0
    for line in full:
        if _BEGINS_LOG.match(line) is None and not (levels and _shows_level(line, levels)):
            different += 1
            if different > may_differ:  # most texts are no logs: the rest of their lines needs no look
                return False
    return bool(full)


def _shows_level(line: str, levels: list[str]) -> bool:
    """A look for the letters first: to look for words at every place of a line takes ten times as long."""
    return any(level in line for level in levels) and _LEVEL.search(line) is not None


FOLD_LOGS = arrival_rule(
    "content.log_fold",
    fold_log,
    safety=Safety.LOSSY,
    purpose="log lines of one template as one, counted",
    may_fit=lambda text: text.count("\n") >= LEAST_LINES - 1,
)
