"""What the names in `Charges.caveats` mean, in words for a user."""

SUM_OF_SESSION = "sum_of_session"
"""A sum over a whole session, which may have had more models than the last one, at whose rates it is priced."""
CHANGED_LANE = "service_tier changed in a turn"
"""A price lane was chosen while a turn ran, and nothing tells from which call on it held."""
SUM_OF_BATCH = "sum_of_batch"
"""A sum over a batch whose calls are not known one by one."""
_EXPLAINED = {
    SUM_OF_BATCH: "the provider gave one sum for the batch, priced as if it were one call",
    SUM_OF_SESSION: "the log has one sum for the session, priced at the rates of its last model",
    CHANGED_LANE: "the log does not tell from which call on the new lane held",
    "usage.iterations": "the parts of the usage do not add up to its sum",
}


def explain_caveat(name: str) -> str:
    """The name with what it says of a cost."""
    if name in _EXPLAINED:
        return f"{name}: {_EXPLAINED[name]}"
    if not is_unknown_field(name):
        return name
    if name.startswith("stream."):
        return f"{name}: a number in an event of a stream that this version does not know"
    kind = "a word for the price" if is_word(name) else "a number"
    return f"{name}: {kind} that this version does not know"


def is_unknown_field(name: str) -> bool:
    """Whether it names a field or word that a later version may know, and so is worth a report."""
    return name not in _EXPLAINED and " " not in name.replace("(a field without a plain name)", "")


def is_word(name: str) -> bool:
    """Whether it names a word, such as that of a price lane, and not a number."""
    return "=" in name or "." not in name
