import os

import pytest

from modicum.gateway.process.machine_memory import memory_bytes

MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(
    ("group", "files", "found"),
    [
        (None, {}, MACHINE),
        ("0::/", {"memory.max": "max\n"}, MACHINE),
        ("0::/", {"memory.max": "1048576\n"}, 1_048_576),
        ("0::/a.slice/b", {"a.slice/memory.max": "2097152\n", "a.slice/b/memory.max": "max\n"}, 2_097_152),
        ("0::/../other", {"memory.max": "3000000\n"}, 3_000_000),
        ("5:cpu,memory:/docker/x\n1:name=s:/", {"memory/docker/x/memory.limit_in_bytes": "4000000\n"}, 4_000_000),
        ("nonsense", {"memory.max": "no number\n", "memory/memory.limit_in_bytes": "0"}, MACHINE),
    ],
)
def test_the_least_of_the_limits_counts(tmp_path, group, files, found):
    if group is not None:
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/self/cgroup").write_text(f"{group}\n")
    for name, text in files.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    assert memory_bytes(tmp_path) == found


def test_this_machine_has_some():
    assert 0 < memory_bytes() <= MACHINE
