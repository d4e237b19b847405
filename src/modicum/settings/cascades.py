"""`[cascades.NAME]`: a cheap model is asked first, and the model of the call where its answer is not believed."""

import re

import msgspec

VERIFIERS = ("schema", "agreement", "http")


class CascadeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[cascades.NAME]`. It changes calls only while an experiment on the rule `cascade.NAME` runs, and after it was
    kept.
    """

    models: str
    """Which calls begin at the cheap model: the model that they ask for, or a pattern, as `gpt-*`."""
    first: str
    """The cheap model."""
    verifier: str
    """What believes its answers: `schema`, `agreement` or `http`."""
    second: str = ""
    """For `agreement`: the model that has to give the same answer."""
    answer_pattern: str = ""
    """For `agreement`: a regular expression; what it matches last in a text (its first group) is the answer. Empty: all
    of the text."""
    url: str = ""
    """For `http`: where a program of yours is asked. It is sent the request and the answer."""
    timeout_s: float = 10.0
    """For `http`: an answer that it has not judged by then is not believed."""
    outcome: str = ""
    """The outcome by which the verifier's own errors are counted."""
    most_wrong: float = 0.0
    """Share of believed tasks that may fail by that outcome; beyond it, with 95 % certainty, the cascade stops."""


def cascade_fault(name: str, cascade: CascadeSettings) -> tuple[str, str] | None:
    """The setting that is wrong, and what it must be."""
    plain = name.replace("-", "").replace("_", "")
    if not plain.isascii() or not plain.isalnum():
        return name, "a table whose name has letters, digits, '-' and '_' alone"
    if not cascade.models.strip():
        return "models", "a model or a pattern, as 'gpt-*'"
    if not cascade.first.strip():
        return "first", "the cheap model that is asked first"
    if cascade.verifier not in VERIFIERS:
        return "verifier", "one of schema, agreement, http"
    return _verifier_fault(cascade)


def _verifier_fault(cascade: CascadeSettings) -> tuple[str, str] | None:
    if cascade.verifier == "agreement" and cascade.second.strip() in {"", cascade.first}:
        return "second", f"another model than '{cascade.first:.80}', which has to give the same answer"
    if cascade.verifier == "http" and not cascade.url.startswith(("http://", "https://")):
        return "url", "the address of your verifier, as 'http://127.0.0.1:9000/verify'"
    if cascade.timeout_s <= 0:
        return "timeout_s", "more than 0 seconds"
    return _errors_fault(cascade)


def _errors_fault(cascade: CascadeSettings) -> tuple[str, str] | None:
    if not 0 <= cascade.most_wrong < 1:
        return "most_wrong", "a share of 0 or more and below 1"
    if cascade.most_wrong > 0 and not cascade.outcome:
        return "outcome", "the outcome by which believed answers are counted as wrong"
    try:
        re.compile(cascade.answer_pattern)
    except re.error:
        return "answer_pattern", "a regular expression, as 'answer: (.*)'"
    return None
