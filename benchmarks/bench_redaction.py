"""Does what must not leave stay here? Precision and recall by kind, forged placeholders, cut streams, time."""

import argparse
import json
import random
from time import process_time

from modicum.cli.terminal.output import print_json
from modicum.privacy.detection import KIND_NAMES, find_sensitive_values
from modicum.privacy.placeholders import MARK, Placeholders, Sought
from modicum.privacy.redaction import Restores, StreamEvent, StreamRestorer, redact
from modicum.statistics.proportions import wilson
from redaction_texts import LOOK_ALIKES, MAKERS, make_texts

KEY = b"k" * 32
TRIES = 500


def find_shares(count, seed):
    """Of each kind: how many values were found whole, and how many finds were none."""
    found, wrong, finds = dict.fromkeys(KIND_NAMES, 0), dict.fromkeys(KIND_NAMES, 0), dict.fromkeys(KIND_NAMES, 0)
    missed = []
    for kind, value, text in make_texts(MAKERS, count, seed):
        got = find_sensitive_values(text)
        found[kind] += got.get(value) == kind
        if got.get(value) != kind:
            missed.append(value)
        for name in got.values():
            finds[name] += 1
            wrong[name] += name != kind
    for _, _, text in make_texts(LOOK_ALIKES, count, seed + 1):
        for name in find_sensitive_values(text).values():
            finds[name] += 1
            wrong[name] += 1
    kinds = {}
    for kind in KIND_NAMES:
        low, high = wilson(found[kind], count)
        precision = None if not finds[kind] else round(1 - wrong[kind] / finds[kind], 3)
        kinds[kind] = {
            "recall": found[kind] / count,
            "recall_interval": [round(low, 3), round(high, 3)],
            "precision": precision,
        }
    return kinds, missed


def forge(seed):
    """How many of so many made-up placeholders bring back a value that is not the forger's."""
    chance, restored = random.Random(seed), 0
    victim, forger = Placeholders(Sought(), KEY), Placeholders(Sought(), KEY)
    stolen = victim.hide("ada@engine.org")
    for number in range(TRIES):
        digits = "".join(chance.choice("0123456789ABCDEF") for _ in range(12))
        for text in (f"{MARK}EMAIL_{digits}", stolen, stolen.lower(), f"{stolen}{number}"):
            restored += "engine" in forger.restore(text)
    return restored


def restored_streams(count, seed):
    """Share of streams, cut anywhere, that say what the unredacted one says."""
    chance, right = random.Random(seed), 0
    rows = make_texts(MAKERS, -(-count // len(MAKERS)), seed)[:count]
    for _, _, text in rows:
        placeholders = Placeholders(Sought(), KEY)
        hidden, said = placeholders.hide(text), ""
        stream = StreamRestorer(placeholders, Restores.TEXT, lambda _: True, lambda one: not one["text"])
        while hidden is not None:
            cut = chance.randint(1, 9)
            piece, hidden = hidden[:cut], hidden[cut:] if hidden else None
            data = json.dumps({"text": piece}).encode()
            said += "".join(
                json.loads(one.removeprefix(b"data: "))["text"]
                for one in stream.feed(StreamEvent(b"data: %b\n\n" % data, b"", data)).split(b"\n\n")
                if one
            )
        right += said == text
    return right / len(rows)


def measure_time(seed):
    """CPU of a request of 200 kB, beside reading it as JSON: without and with something to hide."""
    chance = random.Random(seed)
    words = " ".join("".join(chance.choice("abcdefghij ") for _ in range(12)) for _ in range(16_000))
    bodies = {"plain": words, "with_values": words[:100_000] + " ada@engine.org +1 212 555 0142 " + words[100_000:]}
    times = {}
    for name, text in bodies.items():
        body = json.dumps({"messages": [{"role": "user", "content": text}]}).encode()
        laps = []
        for work in (lambda body=body: redact(body, Placeholders(Sought(), KEY)), lambda body=body: json.loads(body)):
            start = process_time()
            for _ in range(20):
                work()
            laps.append((process_time() - start) / 20)
        times[name] = {"ms": round(laps[0] * 1000, 3), "times_json_loads": round(laps[0] / laps[1], 2)}
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="values of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--missed", action="store_true", help="show some values that were not found")
    options = parser.parse_args()
    kinds, missed = find_shares(options.count, options.seed)
    figures = {
        "kinds": kinds,
        "foreign_restored": forge(options.seed),
        "streams_equal": restored_streams(options.count, options.seed),
        "time": measure_time(options.seed),
    }
    if options.json:
        print_json(figures)
        return
    for kind, row in kinds.items():
        print(f"{kind:14} recall {row['recall']:.3f} {row['recall_interval']}  precision {row['precision']}")
    print(f"values restored by {TRIES} times 4 forged placeholders: {figures['foreign_restored']}")
    print(f"streams that say what the unredacted one says: {figures['streams_equal']:.3f}")
    for name, row in figures["time"].items():
        print(f"200 kB, {name}: {row['ms']} ms CPU, {row['times_json_loads']} times json.loads")
    if options.missed:
        print("\n".join(map(repr, missed[:: max(1, len(missed) // 40)])))


if __name__ == "__main__":
    main()
