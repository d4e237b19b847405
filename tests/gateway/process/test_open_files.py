"""What a limit of open files allows, and how it is raised."""

import resource

import pytest

from modicum.gateway.process.open_files import OpenFiles, raise_limit


@pytest.mark.parametrize(
    ("limit", "calls", "allowed", "callers", "problem"),
    [
        (20_000, 4000, 9968, 15_936, ""),
        (8064, 4000, 4000, 4000, ""),
        (8063, 4000, 3999, 4000, "8,063 open files are enough for 3,999 calls at once in one process, not for 4,000"),
        (256, 4000, 96, 96, "allow 8,064"),
        (10, 4000, 1, 1, "allow 8,064"),
    ],
)
def test_a_call_needs_two_files_and_some_are_held_back(limit, calls, allowed, callers, problem):
    files = OpenFiles(limit, calls)

    assert (files.calls_allowed, files.most_callers) == (allowed, callers)
    assert problem in files.problem
    assert bool(problem) == bool(files.problem)


@pytest.mark.parametrize(
    ("now", "taken", "after"),
    [
        ((100, 4000), 10**9, (4000, 4000)),
        ((4000, 4000), 10**9, (4000, 4000)),
        ((256, resource.RLIM_INFINITY), 10**9, (1_048_576, resource.RLIM_INFINITY)),
        ((256, resource.RLIM_INFINITY), 20_000, (10_240, resource.RLIM_INFINITY)),
        ((256, 500), 0, (256, 500)),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), 10**9, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)),
    ],
)
def test_the_limit_is_raised_as_far_as_the_system_lets_it(monkeypatch, now, taken, after):
    limits = [now]

    def set_limit(_, wanted):
        if wanted[0] > taken:
            raise ValueError("not allowed to raise maximum limit")
        limits.append(wanted)

    monkeypatch.setattr(resource, "setrlimit", set_limit)
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])

    assert raise_limit() == (after[0] if after[0] != resource.RLIM_INFINITY else 1_048_576)
    assert limits[-1] == after
