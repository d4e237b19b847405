"""Vectors from an endpoint of the owner's."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from modicum.calls import UserError
from modicum.gateway.semantic_cache import embeddings
from modicum.gateway.semantic_cache.embeddings import EmbeddingEndpoint, SentenceVectors
from modicum.settings import SemanticCacheSettings
from optimizers.meaning.small_model import write_model


@pytest.fixture(scope="module")
def endpoint():
    """An endpoint that answers what its `reply` says."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            server.asked.append((json.loads(body), self.headers.get("authorization")))
            self.send_response(server.status)
            self.send_header("content-length", str(len(server.reply)))
            self.end_headers()
            self.wfile.write(server.reply)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.status, server.reply = [], 200, b""
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def vector(server, text="hello", **settings):
    url = f"http://127.0.0.1:{server.server_port}/v1/embeddings"
    row = SemanticCacheSettings(embeddings_url=url, embeddings_model="mini", **settings)
    return asyncio.run(EmbeddingEndpoint(row).vector_of(text))


def test_a_text_becomes_a_vector_of_length_one(endpoint, monkeypatch):
    monkeypatch.setenv("MINI_KEY", "sk-mini")
    endpoint.status, endpoint.reply = 200, b'{"data": [{"embedding": [3, 4]}], "model": "mini"}'

    assert np.allclose(vector(endpoint, embeddings_key="env:MINI_KEY"), [0.6, 0.8])
    assert endpoint.asked[-1] == ({"model": "mini", "input": "hello"}, "Bearer sk-mini")


@pytest.mark.parametrize(
    ("status", "reply"), [(500, b"{}"), (200, b"no json"), (200, b'{"data": []}'), (200, b'{"data": [{}]}')]
)
def test_an_endpoint_that_fails_gives_none(endpoint, status, reply):
    endpoint.status, endpoint.reply = status, reply

    assert vector(endpoint) is None


def test_a_key_that_is_not_there_gives_none(endpoint):
    assert vector(endpoint, embeddings_key="env:NOT_SET_ANYWHERE") is None


def test_a_model_in_this_process_gives_vectors_of_length_one_in_a_thread_of_its_own(tmp_path):
    vectors = SentenceVectors(SemanticCacheSettings(embeddings_folder=str(write_model(tmp_path))))

    async def ask():
        return await asyncio.gather(*map(vectors.vector_of, ["the capital", "of niger", "the capital"]))

    first, other, again = asyncio.run(ask())
    assert np.allclose(first, again)
    assert not np.allclose(first, other)
    assert abs(np.linalg.norm(first) - 1) < 1e-5


def test_who_would_wait_too_long_for_it_gets_none(tmp_path, monkeypatch):
    monkeypatch.setattr(embeddings, "TIMEOUT_S", 0.01)
    vectors = SentenceVectors(SemanticCacheSettings(embeddings_folder=str(write_model(tmp_path))))
    free = threading.Event()
    monkeypatch.setattr(vectors, "_vector_of", lambda _text: free.wait(10))

    assert asyncio.run(vectors.vector_of("the capital")) is None
    free.set()


def test_files_that_changed_since_the_settings_were_read_are_an_error(tmp_path):
    vectors = SentenceVectors(SemanticCacheSettings(embeddings_folder=str(tmp_path)))

    with pytest.raises(UserError, match=r"no model\.safetensors"):
        asyncio.run(vectors.vector_of("the capital"))
