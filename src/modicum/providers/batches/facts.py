"""What a batch and a row of its results tell, whichever API they are of."""

import re
from abc import ABC, abstractmethod
from typing import Any

import msgspec

from modicum.calls import Usage


class BatchFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch's object says."""

    batch_id: str
    files: tuple[str, ...] = ()
    """Files of its results, where they come as files."""
    usage: Usage | None = None
    """Of all its calls together, once it is over; None: it does not say."""
    model: str = ""


class BatchRow(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a batch that was answered."""

    key: str
    """What the caller calls it, or the provider; unique in its batch."""
    reply: msgspec.Raw
    """As its API answers the same call alone."""


class BatchTarget(msgspec.Struct, frozen=True, kw_only=True):
    """What a path of batches asks for, beside asking for a new one."""

    path: str
    root: str = ""
    """What stands before the upstream's own path: uploads and downloads of some APIs."""
    subject: str = ""
    """The batch whose results or object it is; or the file."""
    is_results: bool = False
    is_file: bool = False
    """Whether `subject` is a file that may hold results, or may not."""
    is_batch: bool = False
    """Whether the reply is a batch's object."""


class BatchShape(ABC):
    """How one API has batches. Everything is pure."""

    create: str = ""
    """The path under which a batch is asked for; empty: it is no fixed one."""
    names_model = False
    """Whether a request for a batch names its model."""
    model_in_path = False
    """Whether it does in its path."""
    area: re.Pattern[str]
    """Beginnings of the paths of batches and files."""

    @abstractmethod
    def find(self, method: str, path: str) -> BatchTarget | None:
        """What a path asks for; None: it is none of batches and files."""

    def created(self, path: str) -> str:
        """Where a path asks for a new batch: below the upstream's address; empty: it does not."""
        return path.removeprefix("/v1") if path == self.create else ""

    def target_for(self, path: str, model: str) -> str:  # noqa: ARG002 - as a rule the path names no model
        """The same for another model."""
        return path

    def inline_results(self, batch: dict[str, Any]) -> bytes:  # noqa: ARG002 - as a rule they are elsewhere
        """The lines of results that stand in a batch's own object; empty: none do."""
        return b""

    @abstractmethod
    def model(self, body: bytes, path: str) -> str:
        """The model that a request for a batch names; empty: it names none.

        Raises:
            DialectError: it is no such request.
        """

    @abstractmethod
    def facts(self, batch: dict[str, Any]) -> BatchFacts | None:
        """What a batch's object says; None: it is none."""

    @abstractmethod
    def row(self, line: bytes) -> BatchRow | None:
        """A line of results; None: no call that is charged. Never raises."""

    def is_result_file(self, file: dict[str, Any]) -> bool:  # noqa: ARG002 - results of some APIs are no files
        """Whether a file's object says that it holds the results of a batch."""
        return False
