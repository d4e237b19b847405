"""Log files in, calls out. One file per format; a format is recognised from content.

`read_calls` is the whole room: it finds files, asks each format whether it knows them, and gives calls and problems.
"""

from modicum.importers.read_logs import FORMATS, format_named, found_places, read_calls

__all__ = ["FORMATS", "format_named", "found_places", "read_calls"]
