"""Token counts: how far from the provider's own, with and without calibration (train and test split by session).

Claude: the clean steps of the transcripts in DATA/claude-code/sessions;
src/modicum/importers/claude_code/calibration_pairs.py says
which steps those are. Hidden reminders stay in: they are the upper tail of the error.
OpenAI: replies of gpt-4.1 in DATA/tau2 that are text alone: the provider's completion tokens beside our count.
Claude Sonnet 4.5 in DATA/tau2 (another field of work: customer service): the shipped calibration, nothing fitted.
Gemini: with --gemma tokenizer.json, against the public Gemma 3 tokenizer, which Google's own SDK uses to count for
Gemini; on the standard library of this Python (code), QMSum (prose) and tau2 (JSON).

--write replaces src/modicum/metering/calibrations.json by what was fitted here.
"""

import argparse
import gzip
import json
import statistics
import subprocess
import sys
import sysconfig
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np

from modicum.calls import Call, Problem
from modicum.importers import read_calls
from modicum.importers.claude_code.calibration_pairs import steps
from modicum.importers.format import Reading
from modicum.metering.calibration import (
    KINDS,
    SHIPPED,
    CalibrationPair,
    Calibrations,
    find_family,
    load,
    save,
)
from modicum.metering.calibration_fit import calibrate, fit_line
from modicum.metering.tokens import DEFAULT_ENCODING, count_with

ENCODINGS = ("o200k_base", "cl100k_base", "llama3", "qwen3")
KEPT = {
    "claude": "steps of Claude Code conversations, Jan-Feb 2026, mostly Go code and its tools",
    "gemini": "the public Gemma 3 tokenizer, on Python's standard library, meetings (QMSum) and JSON (tau2)",
}


class Counted:
    """A step with its counts in every encoding; its text is let go."""

    def __init__(self, step):
        self.step, self.growth, self.session = step, step.prompt_growth_tokens, step.session
        self.chars = sum(map(len, step.texts))
        self.counts = {name: step.pair(lambda text, n=name: count_with(text, n)).raw_tokens for name in ENCODINGS}
        self.pair = CalibrationPair(
            self.counts[DEFAULT_ENCODING], step.prompt_growth_tokens, step.session, step.content
        )
        self.model, self.content = step.model, step.content


def claude_steps(folder):
    seen = set()
    for path in sorted(folder.glob("*.jsonl*")):
        for step in steps(path, seen):
            if not isinstance(step, Problem):
                yield Counted(step)


def held_out(steps, columns, *, wrap=True):
    """Absolute percentage errors by 5-fold cross-validation by session, for one count per step."""
    ours = np.array([columns(step) for step in steps], float)
    theirs = np.array([step.growth for step in steps], float)
    names = {name: index % 5 for index, name in enumerate(sorted({step.session for step in steps}))}
    folds = np.array([names[step.session] for step in steps])
    predicted = np.empty_like(theirs)
    for fold in range(5):
        test = folds == fold
        if wrap:
            ratio, extra = fit_line(ours[~test], theirs[~test])
        else:
            ratio, extra = 1.0, 0.0
        predicted[test] = ratio * ours[test] + extra
    return np.abs(predicted / theirs - 1)


def encodings_table(steps):
    rows = [("characters / 4 (no effort)", held_out(steps, lambda s: s.chars / 4, wrap=False))]
    rows += [("o200k_base as it is", held_out(steps, lambda s: s.counts["o200k_base"], wrap=False))]
    rows += [("characters, line fitted", held_out(steps, lambda s: s.chars))]
    rows += [(f"{name}, line fitted", held_out(steps, lambda s, n=name: s.counts[n])) for name in ENCODINGS]
    return [
        {
            "count": name,
            "median_error": round(float(np.median(errors)), 4),
            "p90_error": round(float(np.quantile(errors, 0.9)), 4),
        }
        for name, errors in rows
    ]


def tau2(folder, name):
    path = folder / "tau2" / name
    if not path.exists():
        return []
    with gzip.open(path) as stream:
        return json.load(stream)["simulations"]


def openai_exact(folder):
    more = Counter()
    for simulation in tau2(folder, "retail__gpt-4.1.json.gz") + tau2(folder, "telecom__gpt-4.1.json.gz"):
        for message in simulation["messages"]:
            usage = message.get("usage")
            if message["role"] == "assistant" and usage and message.get("content") and not message.get("tool_calls"):
                more[usage["completion_tokens"] - count_with(message["content"], "o200k_base")] += 1
    return {"replies": sum(more.values()), "provider_counted_more_by": dict(more)}


def sonnet_check(folder):
    """Steps of another field of work, predicted by the shipped lines; nothing is fitted here."""
    known = Calibrations()
    found, raws = defaultdict(list), defaultdict(list)
    for simulation in tau2(folder, "airline__claude-sonnet-4-5.json.gz"):
        prompt, since = None, []
        for message in simulation["messages"]:
            usage = message.get("usage") if message["role"] == "assistant" else None
            if usage:
                if prompt and len(since) == 2 and usage["prompt_tokens"] > prompt:
                    kind, text = other_field_step(*since)
                    line_of, _ = known.find("claude", kind)
                    raw = count_with(text, DEFAULT_ENCODING)
                    step = line_of.ratio * raw + line_of.wrap_tokens, usage["prompt_tokens"] - prompt
                    found[kind or "JSON"].append(step)
                    raws[kind or "JSON"].append(raw)
                    if raw >= 500:
                        found[f"{kind or 'JSON'}, 500 tokens and more"].append(step)
                prompt, since = usage["prompt_tokens"], []
            since.append(message)
    return {
        kind: {
            "steps": len(steps),
            "median_error": round(statistics.median(abs(p / a - 1) for p, a in steps), 4),
        }
        for kind, steps in found.items()
    } | {"a line fitted to JSON there": json_line(raws, found)}


def json_line(raws, found):
    ratio, wrap = fit_line(np.array(raws["JSON"], float), np.array([actual for _, actual in found["JSON"]], float))
    return {"ratio": round(ratio, 3), "wrap_tokens": round(wrap, 1)}


def other_field_step(wrote, came):
    calls = wrote.get("tool_calls") or []
    texts = [wrote.get("content") or "", came.get("content") or ""]
    texts += [call["name"] + json.dumps(call["arguments"], ensure_ascii=False) for call in calls]
    return "" if calls else "prose", "\n".join(texts)


def prompt_growth(folder):
    """How much a call's prompt is larger than that of the call before it, in all conversations: what `fit` assumes."""
    best, threads = {}, defaultdict(list)
    for call in read_calls([folder], Reading(), processes=1):
        if isinstance(call, Call) and (call.call_id not in best or call.revision > best[call.call_id].revision):
            best[call.call_id] = call
    for call in sorted(best.values(), key=lambda call: call.started):
        threads[call.task, call.agent].append(call)
    grown = [
        after.usage.prompt_tokens - before.usage.prompt_tokens
        for calls in threads.values()
        for before, after in pairwise(calls)
        if before.model == after.model and after.usage.prompt_tokens > before.usage.prompt_tokens
    ]
    return {"calls": len(grown), "mean": round(statistics.mean(grown)), "median": statistics.median(grown)}


def gemini_pairs(folder, tokenizer_file):
    from tokenizers import Tokenizer

    gemma = Tokenizer.from_file(str(tokenizer_file))

    def pair(text, group, content):
        return CalibrationPair(
            count_with(text, DEFAULT_ENCODING), len(gemma.encode(text, add_special_tokens=False).ids), group, content
        )

    library = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(library.glob("*.py")) + sorted(library.glob("[a-z]*/*.py")):
        if "site-packages" not in path.parts and 200 < path.stat().st_size < 200_000:
            text = path.read_text("utf-8", "replace")
            yield pair(text, path.parent.name if path.parent != library else path.name, "code")
    with gzip.open(folder / "qmsum/ALL_val.jsonl.gz", "rt") as stream:
        for number, row in enumerate(stream):
            turns = [turn["content"] for turn in json.loads(row)["meeting_transcripts"]]
            for start in range(0, len(turns), 40):
                yield pair("\n".join(turns[start : start + 40]), f"meeting {number}", "prose")
    for number, simulation in enumerate(tau2(folder, "airline__claude-sonnet-4-5.json.gz")):
        for message in simulation["messages"]:
            if message["role"] == "tool" and len(message.get("content") or "") > 200:
                yield pair(message["content"], f"simulation {number}", "")


def load_seconds():
    code = "import time,quicktok;t=time.perf_counter();quicktok.get_encoding({!r});print(time.perf_counter()-t)"
    return {
        name: round(
            float(subprocess.run([sys.executable, "-c", code.format(name)], capture_output=True, check=True).stdout), 3
        )
        for name in ENCODINGS
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--gemma", type=Path, help="tokenizer.json of Gemma 3; needs `pip install tokenizers`")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()

    taken = [step for step in claude_steps(args.data / "claude-code/sessions") if step.counts[DEFAULT_ENCODING]]
    pairs = [step.pair for step in taken]
    models = {step.model for step in taken}
    assert {find_family(model).name for model in models} == {"claude"}
    fitted = [calibrate(pairs, "claude", content=kind, models=models) for kind in KINDS]
    by_model = {
        model: calibrate([s.pair for s in taken if s.model == model], "claude", models=[model])
        for model in sorted(models)
    }
    if args.gemma:
        gemini = list(gemini_pairs(args.data, args.gemma))
        fitted += [calibrate(gemini, "gemini", content=kind) for kind in ("", "code", "prose")]
    fitted = [one for one in fitted if one]
    if args.write:
        import msgspec

        kept = [msgspec.structs.replace(one, method=f"{one.method}; {KEPT[one.family]}") for one in fitted]
        fresh = {one.family for one in kept}
        kept += [one for one in load(SHIPPED) if one.family not in fresh]
        save(kept, SHIPPED, "scripts/bench tokens --write")
    result = {
        "steps": len(taken),
        "by_content": dict(Counter(step.content or "other" for step in taken)),
        "encodings": encodings_table(taken),
        "calibrations": [
            {"family": c.family, "content": c.content or "any", "ratio": c.ratio, "wrap_tokens": c.wrap_tokens,
             "error": c.error, "error_whole": c.error_whole, "pairs": c.pairs, "groups": c.groups}
            for c in fitted
        ],
        "by_model": {m: c and {"ratio": c.ratio, "error": c.error, "pairs": c.pairs} for m, c in by_model.items()},
        "openai_gpt_4_1": openai_exact(args.data),
        "claude_sonnet_4_5_other_field": sonnet_check(args.data),
        "prompt_growth_per_call": prompt_growth(args.data / "claude-code/sessions"),
        "load_s": load_seconds(),
    }  # fmt: skip
    if args.json:
        print(json.dumps(result, indent=2))
    else:
        show(result)


def show(result):
    print(f"{result['steps']} clean steps: {result['by_content']}\n")
    print(f"{'held-out error of a step':32} median    p90")
    for row in result["encodings"]:
        print(f"{row['count']:32} {row['median_error']:6.1%} {row['p90_error']:6.1%}")
    print(f"\n{'calibration':18} {'ratio':>6} {'wrap':>6} {'error':>6} {'whole':>6} {'pairs':>6} {'groups':>6}")
    for row in result["calibrations"]:
        whole = "" if row["error_whole"] is None else f"{row['error_whole']:.1%}"
        name = f"{row['family']} {row['content']}"
        figures = f"{row['ratio']:6.3f} {row['wrap_tokens']:6.1f} {row['error']:6.1%} {whole:>6}"
        print(f"{name:18} {figures} {row['pairs']:6} {row['groups']:6}")
    for name in ("by_model", "openai_gpt_4_1", "claude_sonnet_4_5_other_field", "prompt_growth_per_call", "load_s"):
        print(f"\n{name}: {result[name]}")


if __name__ == "__main__":
    main()
