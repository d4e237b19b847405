"""The ledger process in a thread."""

import threading

import httpx2 as httpx
import uvloop

from modicum.ledger_process import process
from modicum.ledger_process.watching.live_settings import LiveSettings
from modicum.metering.prices import PriceBook
from modicum.outbound.listener import bind_listener
from modicum.settings import Settings


class LedgerProcess:
    """As `modicum up --part ledger` runs it, in a thread."""

    def __init__(self, folder, export=None, place=None, settings=None):
        self.folder, self.export = folder, export
        self.alerts = []
        self.settings = LiveSettings(settings or Settings())
        self.place = place or str(folder / "ledger.duckdb")
        self.said = []
        free = bind_listener("test", "127.0.0.1", 0)
        self.port = free.getsockname()[1]
        free.close()

    def __enter__(self):
        self.servers = []
        real = process.DrainingServer

        def kept(config):
            self.servers.append(real(config))
            return self.servers[0]

        process.DrainingServer = kept
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        process_ready = threading.Event()
        while not (self.servers and self.servers[0].started) and self.thread.is_alive():
            process_ready.wait(0.01)
        process.DrainingServer = real
        return self

    def run(self):
        uvloop.run(
            process.serve(
                self.folder,
                self.place,
                PriceBook(),
                "127.0.0.1",
                self.port,
                self.said.append,
                self.export,
                self.settings,
                self.alerts.append,
            )
        )

    def metric(self, name):
        text = httpx.get(f"http://127.0.0.1:{self.port}/metrics").text
        return float(next(line for line in text.splitlines() if line.startswith(f"{name} ")).rpartition(" ")[2])

    def __exit__(self, *_):
        self.servers[0].should_exit = True
        self.thread.join(20)


def until(condition, seconds=10.0):
    event = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if found := condition():
            return found
        event.wait(0.02)
    raise AssertionError("it did not come")
