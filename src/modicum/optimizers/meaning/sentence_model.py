"""Vectors of sentences by a model in this process, from files on this machine: all-MiniLM-L6-v2 and its kind.

    from modicum import SentenceModel, select

    chosen = select(documents, question, budget=2_000, embed=SentenceModel("models/all-MiniLM-L6-v2"))

numpy alone: no framework is loaded, nothing is fetched, and the files hold numbers and no code.
"""

import json
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modicum.calls import UserError
from modicum.optimizers.meaning.model_files import HOW_TO_GET, VOCABULARY, WEIGHTS, missing_file
from modicum.optimizers.meaning.word_pieces import WordPieces

MOST_PIECES = 128
"""Of a text; what comes behind them is not read."""
_HEAD_WIDTH = 32
"""Numbers of each head of attention, in every small model of this kind."""
_BATCH = 64
_HIDDEN = np.float32(-1e9)
_ROUNDING = 1e-12
"""What the model was trained with."""

Numbers = NDArray[np.float32]


class SentenceModel:
    """Texts in, vectors of length 1 out: what `select(embed=...)` takes.

    Args:
        folder: with `model.safetensors` and `vocab.txt`, as all-MiniLM-L6-v2 is published.

    Raises:
        UserError: a file is missing there or is not of such a model; the message says where to get them.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        place = Path(folder)
        missing = missing_file(place)
        if missing:
            raise UserError(f"{place} has no {missing}: {HOW_TO_GET}")
        try:
            self._pieces = WordPieces((place / VOCABULARY).read_text("utf-8").splitlines())
            self._weights = dict(_read_weights(place / WEIGHTS))
            self._layers = 1 + max(
                int(name.split(".")[2]) for name in self._weights if name.startswith("encoder.layer.")
            )
            self.vectors(["a text"])
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            raise UserError(
                f"the files in {place} are not those of a model of sentences such as all-MiniLM-L6-v2 "
                f"({type(error).__name__}): {HOW_TO_GET}"
            ) from None

    def __call__(self, texts: Sequence[str]) -> list[Numbers]:
        """A vector for each text."""
        return list(self.vectors(texts))

    def vectors(self, texts: Sequence[str]) -> Numbers:
        """The same as rows."""
        rows = [self._pieces.numbers(text, MOST_PIECES) for text in texts]
        order = sorted(range(len(rows)), key=lambda place: len(rows[place]))  # alike long ones together
        found = np.zeros((len(rows), self._weights["embeddings.LayerNorm.bias"].shape[0]), np.float32)
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            found[batch] = self._of_pieces([rows[place] for place in batch])
        return found

    def _of_pieces(self, rows: Sequence[Sequence[int]]) -> Numbers:
        """The mean over a text's pieces of what the last layer makes of them, at length 1."""
        length = max(map(len, rows))
        numbers, mask = np.zeros((len(rows), length), np.int64), np.zeros((len(rows), length), np.float32)
        for place, row in enumerate(rows):
            numbers[place, : len(row)], mask[place, : len(row)] = row, 1
        weights = self._weights
        x = weights["embeddings.word_embeddings.weight"][numbers]
        x = x + weights["embeddings.position_embeddings.weight"][:length]
        x = self._normed(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        hidden = np.where(mask > 0, np.float32(0), _HIDDEN)[:, None, None, :]
        for layer in range(self._layers):
            x = self._layer(x, hidden, f"encoder.layer.{layer}")
        mean: Numbers = (x * mask[:, :, None]).sum(1) / mask.sum(1)[:, None]
        lengths: Numbers = np.linalg.norm(mean, axis=1, keepdims=True)
        return mean / lengths

    def _layer(self, x: Numbers, hidden: Numbers, name: str) -> Numbers:
        query, key, value = (
            _by_head(self._dense(x, f"{name}.attention.self.{one}")) for one in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(math.sqrt(query.shape[-1])) + hidden
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (scores / scores.sum(-1, keepdims=True)) @ value
        mixed = mixed.transpose(0, 2, 1, 3).reshape(x.shape)
        x = self._normed(x + self._dense(mixed, f"{name}.attention.output.dense"), f"{name}.attention.output.LayerNorm")
        inner = _gelu(self._dense(x, f"{name}.intermediate.dense"))
        return self._normed(x + self._dense(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _dense(self, x: Numbers, name: str) -> Numbers:
        return x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _normed(self, x: Numbers, name: str) -> Numbers:
        centred = x - x.mean(-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(-1, keepdims=True) + np.float32(_ROUNDING))
        normed = centred / scale * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        same: Numbers = normed.astype(np.float32, copy=False)  # it is: some versions of numpy have other types for it
        return same


def _by_head(x: Numbers) -> Numbers:
    return x.reshape(*x.shape[:2], -1, _HEAD_WIDTH).transpose(0, 2, 1, 3)


def _gelu(x: Numbers) -> Numbers:
    """With erf as Abramowitz and Stegun approximate it (7.1.26), to 1.5e-7."""
    size = np.abs(x) / np.float32(math.sqrt(2))
    t = 1 / (1 + 0.3275911 * size)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return (0.5 * x * (1 + np.sign(x) * (1 - series * np.exp(-size * size)))).astype(np.float32)


def _read_weights(path: Path) -> Iterator[tuple[str, Numbers]]:
    """Arrays of a file in the safetensors format: the size of a table, the table as JSON, numbers."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    table: dict[str, Any] = json.loads(content[8 : 8 + size])
    for name, about in table.items():
        if name != "__metadata__" and about["dtype"] == "F32":
            start, end = (8 + size + offset for offset in about["data_offsets"])
            yield name, np.frombuffer(content[start:end], np.float32).reshape(about["shape"])
