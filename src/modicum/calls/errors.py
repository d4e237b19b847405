"""The one exception that a user is meant to read, and the words for a name that is on no list."""

from collections.abc import Iterable


class UserError(Exception):
    """Something that the user can mend: the message says what, where, and what to type next.

    The command line prints it in one line and ends with status 2. Everything else that is raised is a bug.
    """


def accepted_are(names: Iterable[str]) -> str:
    """How messages say what may stand there: `accepted are 5m, 1h`; `there are none yet` where nothing may."""
    listed = ", ".join(names)
    return f"accepted are {listed}" if listed else "there are none yet"


def unknown_name(what: str, name: str, names: Iterable[str], hint: str = "") -> UserError:
    """The error for a name that is on no list: `there is no finding 'x'; accepted are a, b`, and a hint behind it."""
    return UserError(f"there is no {what} '{name:.80}'; {accepted_are(names)}{hint}")
