"""How much memory this process may have: the machine's, or less where a container or a service is held to less."""

import os
from pathlib import Path

_ROOT = Path("/")


def memory_bytes(root: Path = _ROOT) -> int:
    """The least of the machine's memory and the limits of the control groups that this process is in."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([machine, *_limits(root)])


def _limits(root: Path) -> list[int]:
    """Those that are set. A group's parents hold it, too; what cannot be read limits nothing that we could know of."""
    found = []
    for file in _files(root):
        try:
            limit = file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if limit.isdigit() and int(limit) > 0:  # `max`: no limit
            found.append(int(limit))
    return found


def _files(root: Path) -> list[Path]:
    mounted = root / "sys/fs/cgroup"
    files = [mounted / "memory.max", mounted / "memory/memory.limit_in_bytes"]
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return files
    for line in lines:
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        parts = [part for part in path.split("/") if part and part != ".."]
        for depth in range(len(parts), 0, -1):
            place = "/".join(parts[:depth])
            if not controllers:
                files.append(mounted / place / "memory.max")
            elif "memory" in controllers.split(","):
                files.append(mounted / "memory" / place / "memory.limit_in_bytes")
    return files
