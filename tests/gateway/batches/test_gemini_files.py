"""Google's client uploads a file and asks for a batch, through the whole gateway and a server that plays Google."""

import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from google import genai
from google.genai import types

from gateway.rig import running
from modicum.calls import Basis, CallStatus, Tier
from modicum.settings import GatewaySettings, Settings, UpstreamSettings

REPLY = {"responseId": "r", "modelVersion": "gemini-2.5-flash", "usageMetadata": {"promptTokenCount": 30}}
REPLY["usageMetadata"] |= {"candidatesTokenCount": 4, "totalTokenCount": 34}
REPLY["candidates"] = [{"content": {"role": "model", "parts": [{"text": "a"}]}, "finishReason": "STOP"}]


class Google(BaseHTTPRequestHandler):
    """What of Google's API a client needs for that."""

    protocol_version = "HTTP/1.1"
    polls, asked = [], []

    def do_GET(self):
        self.asked.append(self.path)
        if "download" in self.path:
            rows = [{"key": "a", "response": REPLY}, {"key": "b", "error": {"code": 400}}]
            self.answer(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
            return
        self.polls.append(self.path)
        state = {"state": "BATCH_STATE_RUNNING" if len(self.polls) < 2 else "BATCH_STATE_SUCCEEDED"}
        operation = {"name": "batches/b1", "metadata": {"name": "batches/b1", **state}}
        if len(self.polls) > 1:
            rows = [{"response": REPLY, "metadata": {"key": "a"}}, {"response": REPLY}, {"error": {"code": 400}}]
            operation |= {"done": True, "response": {"inlinedResponses": {"inlinedResponses": rows}}}
        self.answer(json.dumps(operation).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.asked.append((self.path, dict(self.headers), len(body)))
        if self.headers.get("x-goog-upload-command") == "start":
            host = self.headers["host"]
            self.answer(b"", ("x-goog-upload-url", f"http://{host}/upload/v1beta/files?upload_id=u1"))
        elif "upload_id=u1" in self.path:
            file = {"name": "files/f1", "uri": "https://generativelanguage.googleapis.com/v1beta/files/f1"}
            self.answer(json.dumps({"file": file}).encode(), ("x-goog-upload-status", "final"))
        else:
            self.answer(json.dumps({"name": "batches/b1", "metadata": {"state": "BATCH_STATE_PENDING"}}).encode())

    def answer(self, body, *headers):
        self.send_response(200)
        for name, value in (("content-type", "application/json"), ("content-length", str(len(body))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Google)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = Settings(
        gateway=GatewaySettings(listen="127.0.0.1:0"),
        upstreams={
            "gemini": UpstreamSettings(url=f"http://127.0.0.1:{server.server_port}/v1beta", speaks="gemini"),
        },
    )
    with (
        running(tmp_path_factory.mktemp("google"), lambda _port: settings) as rig,
        genai.Client(api_key=rig.key, http_options=types.HttpOptions(base_url=rig.url)) as rig.client,
    ):
        yield rig
    server.shutdown()
    server.server_close()


def test_a_file_goes_up_through_the_gateway_in_all_its_steps(rig):
    file = rig.client.files.upload(file=io.BytesIO(b"x" * 100_000), config={"mime_type": "text/plain"})

    start, rest = Google.asked[-2:]
    assert file.name == "files/f1"
    assert (start[0], rest[0], rest[2]) == ("/upload/v1beta/files", "/upload/v1beta/files?upload_id=u1", 100_000)
    assert rig.key not in str(Google.asked)
    assert rig.records() == []


def test_a_batch_is_booked_when_its_results_come_and_once(rig):
    requests = [{"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}] * 3
    job = rig.client.batches.create(model="gemini-2.5-flash", src=requests)
    (begun,) = rig.wait_for_records(1)
    assert (begun.model, begun.status, begun.usage_basis) == ("gemini-2.5-flash", CallStatus.UNKNOWN, Basis.UNKNOWN)
    assert rig.client.batches.get(name=job.name).state == types.JobState.JOB_STATE_RUNNING
    assert len(rig.records()) == 1

    for _ in range(2):
        assert rig.client.batches.get(name=job.name).state == types.JobState.JOB_STATE_SUCCEEDED

    rows = [entry for entry in rig.shipped() if entry.call.calls_count]
    assert [(one.call.usage.output_visible, one.call.tier, one.call.output_basis) for one in rows] == [
        (4, Tier.BATCH, Basis.EXACT)
    ] * 2
    assert all(one.cost.usd for one in rows)


def test_results_in_a_file_that_nobody_has_named_here_are_booked_only_if_google_says_so(rig):
    content = rig.client.files.download(file="files/f2")
    assert content.count(b"\n") == 2
    assert all(entry.call.tags.get("batch") != "files/f2" for entry in rig.shipped())
