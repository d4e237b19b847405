"""What the steps of a metering gateway cost at least in Python, beside a proxy that copies bytes and beside modicum.

scripts/bench floor [--rounds 3] [--seconds 3] [--json]

CPU of a 1 KB call in milliseconds, in turn: `bare` copies bytes, `http` parses both sides, `json` decodes both bodies,
`key` checks a hashed key, `journal` writes a row before the reply goes (benchmarks/floor_proxy.py). It shows which
multiple of the bare proxy a metering gateway can reach at all.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parent))
import bench_gateway
import measured

STEPS = ("http", "json", "key", "journal")
FIRST_PORT = 4861


def start_step(number, folder):
    port = FIRST_PORT + number
    words = [sys.executable, bench_gateway.HERE / "floor_proxy.py", str(port), str(bench_gateway.STUB)]
    return bench_gateway.Running(STEPS[number], [*words, STEPS[number], str(folder)], port)


async def measure(arguments, folder):
    stubs = bench_gateway.started_stubs()
    gateways = [
        bench_gateway.start_modicum(folder, "process"),
        bench_gateway.start_bare(folder),
        *(start_step(number, folder) for number in range(len(STEPS))),
    ]
    for gateway in gateways[2:]:
        gateway.key = "sk-own-test-key"
    try:
        for gateway in gateways:
            await bench_gateway.answers(gateway)
        small = await bench_gateway.in_turn(gateways, bench_gateway.body(1000), 16, arguments)
    finally:
        for gateway in gateways:
            gateway.stop()
        for stub in stubs:
            stub.terminate()
    bare = small["bare"]["cpu_ms"]
    figures = {}
    for name in ("bare", *STEPS, "modicum"):
        whole = small[name]["cpu_ms"] + small[name]["ledger_cpu_ms"]
        figures |= {f"cpu_ms_per_call_{name}": whole, f"times_bare_{name}": whole / bare}
    return figures | {"machine": measured.machine(), "load_average": os.getloadavg()[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", help="not used")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = uvloop.run(measure(arguments, Path(folder)))
    measured.report(figures, as_json=arguments.json)


if __name__ == "__main__":
    main()
