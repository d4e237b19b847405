"""`[[reply_cache]]` and `[[semantic_cache]]`: whose calls are answered from memory, where they are the same as one
before, or mean the same.
"""

import math
from collections.abc import Sequence
from pathlib import Path

from modicum.optimizers.meaning.model_files import HOW_TO_GET, VOCABULARY, WEIGHTS, missing_file
from modicum.settings.optimize import MOST_MB
from modicum.settings.secret import is_place
from modicum.settings.whose_calls import WhoseCalls

LONGEST_S = 30 * 86_400
MOST_WRONG = 0.2


class ReplyCacheSettings(WhoseCalls, frozen=True, kw_only=True):
    """`[[reply_cache]]`, once for each choice. The first that fits a call holds for it; where none does, every call is
    made.
    """

    seconds: float = 3600.0
    """How long a reply answers calls that are the same. 0: only calls that are made while the first is under way."""
    join: bool = True
    """Whether a call waits for the reply to the same call where that is under way."""
    most_mb: int = 64
    """The most megabytes of replies that are held in memory, in each worker."""
    hold_out: float = 0.05
    """Share of tasks on which every call is made, so that the effect can be seen. 0: none."""


def reply_cache_fault(rows: Sequence[ReplyCacheSettings]) -> tuple[int, str, str] | None:
    """The row and setting that are wrong, and what it must be."""
    for number, one in enumerate(rows):
        if not (math.isfinite(one.seconds) and 0 <= one.seconds <= LONGEST_S):
            return number, "seconds", f"must be a number from 0 to {LONGEST_S:,}, that is 30 days"
        if not one.seconds and not one.join:
            return number, "seconds", "must be above 0 where `join` is false: else nothing is ever answered"
        if not 1 <= one.most_mb <= MOST_MB:
            return number, "most_mb", f"must be a number from 1 to {MOST_MB:,}"
        if not (math.isfinite(one.hold_out) and 0 <= one.hold_out < 1):
            return number, "hold_out", "must be a share from 0 to below 1"
    return None


class SemanticCacheSettings(WhoseCalls, frozen=True, kw_only=True):
    """`[[semantic_cache]]`, once for each choice. The first that fits a call holds for it; where none does, every call
    is made.
    """

    most_wrong: float = 0.01
    """The most of the calls that it is about, as a share, that may get a wrong answer."""
    seconds: float = 86_400.0
    """How long an answer may be given since it was last seen to be right."""
    most_mb: int = 64
    """The most megabytes of answers and vectors that are held in memory, in each worker."""
    hold_out: float = 0.05
    """Share of tasks on which every call is made, so that the effect can be seen. 0: none."""
    embeddings_folder: str = ""
    """A folder on this machine with a model of sentences (`model.safetensors` and `vocab.txt` of all-MiniLM-L6-v2),
    which then runs in the gateway. Empty: texts are compared by their words, or by what `embeddings_url` gives."""
    embeddings_url: str = ""
    """An endpoint of yours that gives vectors of texts, in OpenAI's form; the questions are sent there."""
    embeddings_model: str = ""
    """The model that is asked for there."""
    embeddings_key: str = ""
    """Where its key is: `env:NAME` or `file:PATH`. Empty: none is sent."""


def semantic_cache_fault(rows: Sequence[SemanticCacheSettings]) -> tuple[int, str, str] | None:
    """The row and setting that are wrong, and what it must be."""
    for number, one in enumerate(rows):
        wrong = _fault(one)
        if wrong is not None:
            return number, *wrong
    return None


def _fault(one: SemanticCacheSettings) -> tuple[str, str] | None:
    if not (math.isfinite(one.most_wrong) and 0 < one.most_wrong <= MOST_WRONG):
        return "most_wrong", f"must be a share above 0 and at most {MOST_WRONG:g}, as 0.01"
    if not (math.isfinite(one.seconds) and 0 < one.seconds <= LONGEST_S):
        return "seconds", f"must be a number above 0 and at most {LONGEST_S:,}, that is 30 days"
    if not 1 <= one.most_mb <= MOST_MB:
        return "most_mb", f"must be a number from 1 to {MOST_MB:,}"
    if not (math.isfinite(one.hold_out) and 0 <= one.hold_out < 1):
        return "hold_out", "must be a share from 0 to below 1"
    return _folder_fault(one) or _endpoint_fault(one)


def _folder_fault(one: SemanticCacheSettings) -> tuple[str, str] | None:
    if not one.embeddings_folder:
        return None
    if one.embeddings_url:
        return "embeddings_folder", "must be empty where `embeddings_url` is set: vectors come from one of them"
    folder = Path(one.embeddings_folder).expanduser()
    missing = missing_file(folder)
    if not folder.is_absolute() or missing:
        return "embeddings_folder", (
            f"must be the full path of a folder with {WEIGHTS} and {VOCABULARY}; "
            + (f"{missing} is not there: {HOW_TO_GET}" if missing else "it begins with / or ~")
        )
    return None


def _endpoint_fault(one: SemanticCacheSettings) -> tuple[str, str] | None:
    if one.embeddings_url and not one.embeddings_url.startswith(("http://", "https://")):
        return "embeddings_url", "must be the address of your endpoint, as 'http://127.0.0.1:8080/v1/embeddings'"
    if one.embeddings_url and not one.embeddings_model:
        return "embeddings_model", "must name the model that `embeddings_url` is asked for"
    if one.embeddings_key and not is_place(one.embeddings_key):
        return "embeddings_key", "must say where the key is: env:NAME or file:PATH, not the key itself"
    return None
