"""The package's mock provider on a free port, whose words depend on model and question."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from modicum.providers.dialects import DIALECTS
from modicum.providers.mock.options import MockOptions
from modicum.providers.mock.provider import MockProvider


@contextmanager
def mock_server(says):
    """`says(model, prompt)` gives the words, or an HTTP status. Yields the address and the questions that came."""
    provider, asked, lock = MockProvider(b"seed"), [], threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            request = json.loads(body)
            prompt = request["messages"][0]["content"]
            with lock:
                asked.append((request["model"], prompt))
                words = says(request["model"], prompt)
                dialect = DIALECTS["anthropic-messages" if self.path.endswith("/messages") else "openai-chat"]
                options = MockOptions(says=words) if isinstance(words, str) else MockOptions()
                reply = provider.answer(dialect, body, self.path, options, 1_790_000_000)
            content = b"".join(reply.parts)
            self.send_response(reply.status if isinstance(words, str) else words)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
