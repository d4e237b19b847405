"""A host on a loopback port. Its model server streams tokens as OpenAI's API does and counts them as vLLM does, without
a model; its page `/gpus` counts energy as dcgm-exporter does."""

import asyncio
import json
import threading
import time

from aiohttp import web


class FakeServer:
    """Runs in a thread of its own; a context manager that yields itself. `url` is its address."""

    def __init__(self, token_s=0.002, *, usage=True, fail=0, kind="vllm", gpu="GPU-0", watts=300, closes=False):
        self.token_s, self.usage, self.fail, self.kind = token_s, usage, fail, kind
        self.prompt_tokens = self.generated_tokens = self.steps = self.running = 0
        self.gpu, self.watts = gpu, watts
        self.closes = closes
        self.scrapes = 0
        self.asked = []
        self.started = time.time()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _serve(self):
        self._loop.run_until_complete(self._main())
        self._loop.close()

    async def _main(self):
        self._stop = asyncio.Event()
        app = web.Application()
        app.add_routes(
            [
                web.get("/metrics", self._metrics),
                web.get("/gpus", self._gpus),
                web.post("/v1/completions", self._complete),
                web.post("/v1/chat/completions", self._complete),
            ]
        )
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _gpus(self, _):
        millijoules = 1000 * self.watts * (time.time() - self.started)
        labels = f'gpu="0",UUID="{self.gpu}",modelName="NVIDIA L4"'
        return web.Response(text=f"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{{{labels}}} {millijoules:.0f}\n")

    async def _metrics(self, _):
        self.scrapes += 1
        if self.kind is None:
            return web.Response(text="other_metric 1\n")
        labels = '{engine="0",model_name="m"}'
        figures = {
            "vllm:prompt_tokens_total": self.prompt_tokens,
            "vllm:generation_tokens_total": self.generated_tokens,
            "vllm:iteration_tokens_total_count": self.steps,
            "vllm:num_requests_running": self.running,
            "vllm:num_requests_waiting": 0,
            "vllm:prefix_cache_hits_total": 0,
        }
        lines = [f"{name}{labels} {value}" for name, value in figures.items()]
        return web.Response(text="\n".join([*lines, f"process_start_time_seconds {self.started}", ""]))

    async def _complete(self, request):
        asked = await request.json()
        self.asked.append((asked, dict(request.headers)))
        if self.fail > 0:
            self.fail -= 1
            return web.Response(status=503)
        chat = "messages" in asked
        prompt = asked["messages"][0]["content"] if chat else asked["prompt"]
        tokens = len(prompt.split()) * 2
        reply = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await reply.prepare(request)
        self.running += 1
        self.prompt_tokens += tokens
        try:
            for number in range(asked["max_tokens"]):
                await asyncio.sleep(self.token_s)
                self.generated_tokens += 1
                self.steps += 1
                choice = {"index": 0, "delta": {"content": "a"}} if chat else {"index": 0, "text": "a"}
                await reply.write(b"data: " + json.dumps({"choices": [choice], "n": number}).encode() + b"\n\n")
            if self.usage:
                usage = {"prompt_tokens": tokens, "completion_tokens": asked["max_tokens"]}
                await reply.write(b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n")
            await reply.write(b"data: [DONE]\n\n")
        finally:
            self.running -= 1
        if self.closes:  # without saying so in a header
            await reply.write_eof()
            request.transport.close()
        return reply
