"""Texts that every store, every encoder and every terminal takes: without halves of surrogate pairs.

JSON can hold half a pair (`\\ud83d` alone), file names and arguments can hold bytes that are no UTF-8; Python keeps
both as surrogates, which nothing can encode.
"""


def storable(text: str) -> str:
    """The text itself, or with each half character replaced by `?`."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text
