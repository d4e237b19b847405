"""A model of sentences with the shapes of all-MiniLM-L6-v2, and next to no size: two layers, random weights."""

import json

import numpy as np

WIDTH, INNER, LAYERS, PLACES = 64, 96, 2, 130
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "capital", "of", "niger", "##ia", "un", "##able", "?", "中", "cafe"]


def shapes():
    yield "embeddings.word_embeddings.weight", (len(WORDS), WIDTH)
    yield "embeddings.position_embeddings.weight", (PLACES, WIDTH)
    yield "embeddings.token_type_embeddings.weight", (2, WIDTH)
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        inside = [f"attention.self.{one}" for one in ("query", "key", "value")] + ["attention.output.dense"]
        sizes = dict.fromkeys(inside, (WIDTH, WIDTH)) | {
            "intermediate.dense": (INNER, WIDTH),
            "output.dense": (WIDTH, INNER),
        }
        for part, (out, given) in sizes.items():
            yield f"{name}.{part}.weight", (out, given)
            yield f"{name}.{part}.bias", (out,)
        norms += [f"{name}.attention.output.LayerNorm", f"{name}.output.LayerNorm"]
    for name in norms:
        yield f"{name}.weight", (WIDTH,)
        yield f"{name}.bias", (WIDTH,)


def random_weights():
    chance = np.random.default_rng(7)
    return {name: chance.normal(0, 0.4, shape).astype(np.float32) for name, shape in shapes()}


def write_model(folder, weights=None):
    """The two files of a model; its folder."""
    folder.mkdir(exist_ok=True)
    table, numbers = {"__metadata__": {"format": "pt"}}, b""
    for name, array in (random_weights() if weights is None else weights).items():
        end = len(numbers) + array.nbytes
        table[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": [len(numbers), end]}
        numbers += array.tobytes()
    head = json.dumps(table).encode()
    (folder / "model.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + numbers)
    (folder / "vocab.txt").write_text("\n".join(WORDS), "utf-8")
    return folder
