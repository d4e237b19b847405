"""What a gateway in front of the mock provider does with calls in the toy dialect, as JSON on stdout."""

import json
import sys
from pathlib import Path

import httpx2 as httpx

from gateway.rig import running
from gateway.team_rig import mock_provider
from modicum.settings import GatewaySettings, Settings, UpstreamSettings

FIELDS = ("call_id", "provider", "status", "usage_basis")


def main(folder):
    with mock_provider() as mock:

        def settings(port):
            toy = UpstreamSettings(url=f"{mock.url}/toy", speaks="toy", models=("toy-*",), pass_headers=("x-mock-*",))
            return Settings(gateway=GatewaySettings(listen="127.0.0.1:0"), upstreams={"toy": toy})

        with running(folder, settings) as rig, httpx.Client(base_url=rig.url) as client:

            def post(path, body, **wishes):
                headers = rig.headers(**{f"x_mock_{name}": value for name, value in wishes.items()})
                answer = client.post(path, json={"model": "toy-1", "text": "hello"} | body, headers=headers)
                return [answer.status_code, answer.headers["content-type"], answer.text]

            said = {
                "whole": post("/toy/talk", {}, says="a b c"),
                "stream": post("/toy/talk", {"stream": True}, says="a b c"),
                "broken": post("/toy/talk", {"stream": True}, fault="broken_off"),
                "overloaded": post("/toy/talk", {}, fault="overloaded"),
                "count": post("/toy/count", {}),
                "no model": post("/toy/talk", {"model": ""}),
                "no path": post("/toy/nothing", {}),
            }
            records = rig.wait_for_records(4)
    calls = [{name: str(getattr(call, name)) for name in FIELDS} for call in records]
    for call, record in zip(calls, records, strict=True):
        call["tokens"] = [record.usage.prompt_tokens, record.usage.completion_tokens]
    print(json.dumps({"replies": said, "calls": calls}))  # noqa: T201 - a script's output


if __name__ == "__main__":
    main(Path(sys.argv[1]))
