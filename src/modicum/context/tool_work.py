"""What a tool does, judged by its name: whether it reads or writes. Agents name their tools as they like."""

import re
from enum import StrEnum
from functools import lru_cache

READS = re.compile(r"read|view|cat\b|open|grep|glob|search|find|list|\bls\b|get|fetch|lookup|show", re.IGNORECASE)
WRITES = re.compile(
    r"(?!.*(?:todo|task)).*(?:edit|write|patch|replace|insert|create|update|delete|move|rename|set|add)", re.IGNORECASE
)


class ToolWork(StrEnum):
    NONE = ""
    """There is no tool."""
    READS = "reads"
    WRITES = "writes"
    OTHER = "other"
    """A shell, say: its name tells nothing."""


@lru_cache(maxsize=1024)
def work_of(tool: str) -> ToolWork:
    """What a tool of that name does; of a name that fits both it is writing, which needs more of a model."""
    if not tool:
        return ToolWork.NONE
    return ToolWork.WRITES if WRITES.search(tool) else ToolWork.READS if READS.search(tool) else ToolWork.OTHER
