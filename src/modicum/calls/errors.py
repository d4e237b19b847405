"""The one exception that a user is meant to read."""


class UserError(Exception):
    """Something that the user can mend: the message says what, where, and what to type next.

    The command line prints it in one line and ends with status 2. Everything else that is raised is a bug.
    """
