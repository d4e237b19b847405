"""CPU per 1 KB call of servers and clients that a gateway could be built on, each passing calls through unmetered.

scripts/bench servers [--rounds 3] [--json]     needs granian and pyreqwest in the environment to measure them, too
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parent))
import bench_gateway
import load
import measured

HERE = Path(__file__).parent
STUB, PORT = 4851, 4852


def words(server):
    if server == "uvicorn":
        options = ["--http", "httptools", "--loop", "uvloop", "--no-access-log", "--lifespan", "off"]
        return [sys.executable, "-m", "uvicorn", "pass_through:app", "--port", str(PORT), *options]
    options = ["--interface", "asginl", "--loop", "uvloop", "--no-access-log", "--workers", "1"]
    return [sys.executable, "-m", "granian", "pass_through:app", "--port", str(PORT), *options]


def measure(server, client, seconds):
    environment = os.environ | {"CLIENT": client, "UPSTREAM_PORT": str(STUB), "PYTHONPATH": str(HERE)}
    process = subprocess.Popen(words(server), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    running = bench_gateway.Running.__new__(bench_gateway.Running)
    running.process, running.part, running.name, running.port = process, None, f"{server} + {client}", PORT
    running.headers, running.key = "", "k"
    request = running.request(bench_gateway.body(1000))
    try:
        uvloop.run(bench_gateway.answers(running, 30))
        uvloop.run(load.closed_loop(PORT, 16, 1.0, lambda _: request))
        before = running.cpu_s()
        figures = uvloop.run(load.closed_loop(PORT, 16, seconds, lambda _: request))
        return (running.cpu_s() - before) / figures["calls"] * 1000
    finally:
        process.terminate()
        process.wait(10)
        time.sleep(0.3)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", help="not used")
    arguments = parser.parse_args()
    there = {name for name in ("uvicorn", "granian", "aiohttp", "pyreqwest") if importlib.util.find_spec(name)}
    pairs = [(server, client) for server in ("uvicorn", "granian") for client in ("own", "aiohttp", "pyreqwest")]
    pairs = [(server, client) for server, client in pairs if server in there and client in there | {"own"}]
    stub = subprocess.Popen([sys.executable, HERE / "upstream_stub.py", str(STUB)])
    try:
        rounds = [[measure(*pair, arguments.seconds) for pair in pairs] for _ in range(arguments.rounds)]
    finally:
        stub.terminate()
    figures = {
        f"cpu_ms_{server}_{client}": statistics.median(one[place] for one in rounds)
        for place, (server, client) in enumerate(pairs)
    }
    figures |= {"machine": measured.machine(), "load_average": os.getloadavg()[0]}
    measured.report(figures, as_json=arguments.json)


if __name__ == "__main__":
    main()
