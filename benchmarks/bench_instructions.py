"""Machine instructions that a call takes in the gateway's process, by Valgrind: hardly any other work changes them.

scripts/bench instructions [--source DIR] [--calls 200] [--json]; DIR holds a `src` (git archive COMMIT src), else this
one. Needs `valgrind` (Debian has it).

Plain and with the budgets and limits of `scripts/bench gateway --governed`, whole and streamed, by 8 callers at once;
`durable = "process"`. All threads together, outside the kernel. Two runs of the same source differ by up to two
percent, since writes of the journal are shared by as many calls as happen to end together.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parent))
import bench_former
import bench_gateway
import measured

HERE = Path(__file__).parent
STARTS_WITHIN_S = 400
KINDS = {
    "call": {},
    "call_governed": {"governed": True},
    "stream": {"stream": True},
    "stream_governed": {"stream": True, "governed": True},
}
VALGRIND = "valgrind --tool=callgrind --instr-atstart=no --separate-threads=yes --log-file=/dev/null"
PYTHON = '#!/bin/sh\ncase "$*" in *"--part gateway") exec {valgrind} {python} "$@";; esac\nexec {python} "$@"\n'
SITE = "import sys\nif sys.orig_argv[-1:] == ['up']:\n    sys.executable = {python!r}\n"
"""The supervisor starts its parts with this Python."""


def under_valgrind(folder):
    """The folders of modules in which the supervisor finds a Python that starts the gateway under Valgrind."""
    python, site = folder / "python", folder / "site"
    python.write_text(
        PYTHON.format(valgrind=f"{VALGRIND} --callgrind-out-file={folder / 'counts'}", python=sys.executable)
    )
    python.chmod(0o755)
    site.mkdir()
    (site / "sitecustomize.py").write_text(SITE.format(python=str(python)))
    return site


def control(gateway, *words):
    (process,) = gateway.pids("gateway")
    subprocess.run(["callgrind_control", *words, str(process)], check=True, capture_output=True)


async def counted(gateway, data, calls):
    await bench_gateway.answers(gateway, STARTS_WITHIN_S)
    await bench_former.user_ms(gateway, data, calls)  # for warming up
    control(gateway, "-i", "on")
    await bench_former.user_ms(gateway, data, calls)
    control(gateway, "-i", "off")
    control(gateway, "-d")


def instructions(source, calls, *, stream=False, governed=False):
    """Of one call."""
    with tempfile.TemporaryDirectory() as name:
        folder, stub = Path(name), bench_former.free_port()
        upstream = subprocess.Popen([sys.executable, HERE / "upstream_stub.py", str(stub)])
        modules = f"{source}{os.pathsep}{under_valgrind(folder)}"
        gateway = bench_former.start("now", modules, folder / "gateway", stub, governed=governed)
        try:
            uvloop.run(counted(gateway, bench_gateway.body(1000, stream=stream), calls))
        finally:
            gateway.stop()
            upstream.terminate()
            upstream.wait(10)
        totals = [re.search(r"^totals: (\d+)", one.read_text(), re.MULTILINE) for one in folder.glob("counts.1-*")]
        return sum(int(total[1]) for total in totals if total) / calls


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", default=str(HERE.parent), help="a folder with a src")
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--only", default=",".join(KINDS), help="kinds of calls")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", help="not used")
    arguments = parser.parse_args()
    source = Path(arguments.source).resolve() / "src"
    figures = {
        f"instructions_per_{kind}": instructions(source, arguments.calls, **KINDS[kind])
        for kind in arguments.only.split(",")
    }
    measured.report(figures | {"calls": arguments.calls, "machine": measured.machine()}, as_json=arguments.json)


if __name__ == "__main__":
    main()
