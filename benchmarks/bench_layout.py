"""What does the order of a prompt do? `modicum.lay_out` on QMSum's meetings and on rows of a bill.

scripts/bench layout --data DIR [--json]

Every meeting (validation) is asked all its specific queries, one after another, within a cache's life. A prompt holds
instructions, a clock, the transcript and the query, in three orders; a breakpoint is set where something repeats. Of
each: the share of its tokens that the prompt before it began with, byte for byte, and what the run costs at the day's
prices beside one without any cache. Whether answers get better or worse no figure here says: that takes a model.
"""

import argparse
import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import measured
from bench_selection import lines
from modicum import lay_out
from modicum.metering.prices import PriceBook
from modicum.metering.tokens import count_tokens

MODEL, COUNTED_AS = "claude-opus-5-5", "claude-opus-4-5"
LEAST_CACHED = 4_096
"""Tokens: the longest beginning that a model of this maker asks for before it caches one."""
TODAY = datetime(2026, 11, 30, tzinfo=UTC)
RULES = "Answer the question about the meeting from its transcript alone, in a short paragraph, and name who said what."
ROWS = 100


def prompts(folder):
    """For each meeting the prompts of its queries, by order."""
    minute = 0
    for row in lines(folder / "qmsum/ALL_val.jsonl.gz"):
        paper = "\n".join(f"{one['speaker']}: {one['content']}" for one in row["meeting_transcripts"])
        asked = []
        for query in row["specific_query_list"]:
            minute += 1
            clock, question = f"It is {minute // 60:02}:{minute % 60:02}.", query["query"]
            parts = [{"text": clock, "changes": "call"}, {"text": paper, "changes": "conversation"}, RULES]
            laid_out = lay_out(parts, question)
            asked.append(
                {
                    "question_first": f"{RULES}\n\n{clock}\n\n{question}\n\n{paper}",
                    "clock_first": f"{clock}\n\n{RULES}\n\n{paper}\n\n{question}",
                    "laid_out": f"{laid_out.system}\n\n{laid_out.user}",
                }
            )
        yield asked


def shares(meetings, rates):
    """Of each order: share of tokens that were read from a cache, and cost beside a run without a cache."""
    orders = meetings[0][0]
    tokens, read, usd, plain = (dict.fromkeys(orders, 0.0) for _ in range(4))
    for asked in meetings:
        size = count_tokens(asked[0]["laid_out"], COUNTED_AS) / len(asked[0]["laid_out"])
        for order in orders:
            repeats, before = order == "laid_out", ""
            for one in asked:
                text = one[order]
                alike = next((n for n, (a, b) in enumerate(zip(text, before, strict=False)) if a != b), len(before))
                known, new = size * alike, size * (len(text) - alike)
                is_cached = known >= LEAST_CACHED
                tokens[order] += known + new
                read[order] += known if is_cached else 0.0
                new_usd = float(rates.cache_write_5m if repeats else rates.input_uncached)
                known_usd = float(rates.cache_read) if is_cached else new_usd
                usd[order] += known * known_usd + new * new_usd
                plain[order] += (known + new) * float(rates.input_uncached)
                before = text
    return {order: (read[order] / tokens[order], usd[order] / plain[order]) for order in orders}


def table_share(folder):
    """Tokens of rows of a bill as a table, as a share of those as JSON as `json.dumps` writes it, and without space."""
    with (folder / "focus/focus_1.0_sample.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[:ROWS]
    table = count_tokens(lay_out([{"rows": rows}], "").system, COUNTED_AS)
    plain = count_tokens(json.dumps(rows), COUNTED_AS)
    return table / plain, table / count_tokens(json.dumps(rows, separators=(",", ":")), COUNTED_AS)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rates = PriceBook().rates("anthropic", MODEL, TODAY)
    meetings = [asked for asked in prompts(options.data) if asked]
    figures = {"meetings": len(meetings), "prompts": sum(map(len, meetings))}
    for order, (read, cost) in shares(meetings, rates).items():
        figures |= {f"cache_share_{order}": read, f"cost_share_{order}": cost}
    dumps, minified = table_share(options.data)
    figures |= {"table_tokens_share": dumps, "table_tokens_share_of_minified": minified, "machine": measured.machine()}
    measured.report(figures, as_json=options.json)


if __name__ == "__main__":
    main()
