"""What decides a model's memory: how many weights it has, and what each layer remembers of a sequence."""

import msgspec


class KeyValue(msgspec.Struct, frozen=True, tag="key_value"):
    """Attention that keeps a key and a value per token and key-value head (multi-head, grouped-query, multi-query)."""

    kv_heads: int
    key_dim: int
    value_dim: int
    window: int | None = None
    """Tokens that the layer looks back, its own included; None: all of them."""


class Latent(msgspec.Struct, frozen=True, tag="latent"):
    """Multi-head latent attention: one compressed vector per token, whatever the number of heads (DeepSeek-V2 paper,
    arXiv 2405.04434, section 2.1).
    """

    latent_dim: int
    """Rank of the compressed key and value plus the rotary part of the key."""
    index_dim: int = 0
    """Elements of the sparse-attention indexer's key per token; 0: no indexer."""


class Recurrence(msgspec.Struct, frozen=True, tag="recurrence"):
    """A layer whose memory does not grow with the sequence: Mamba, Mamba-2, gated DeltaNet."""

    kind: str
    heads: int
    """What tensor parallelism can shard by."""
    state_elements: int
    """Elements of the recurrent state of one sequence."""
    conv_channels: int
    """Channels of the short convolution that keeps the last tokens' inputs."""
    conv_width: int
    """Taps of that convolution; its memory is one less."""


Mixer = KeyValue | Latent | Recurrence


class Parameters(msgspec.Struct, frozen=True):
    """Weights, counted from shapes."""

    shared: int
    """Used for every token: embeddings, attention, norms, routers, shared experts."""
    routed: int = 0
    """In routed experts, all of them."""
    experts: int = 0
    """Routed experts per layer; 0: a dense model."""
    experts_per_token: int = 0

    @property
    def total(self) -> int:
        return self.shared + self.routed

    @property
    def active(self) -> int:
        """Weights that one token passes, embeddings included."""
        return self.shared + (self.routed * self.experts_per_token // self.experts if self.experts else 0)


class Blueprint(msgspec.Struct, frozen=True):
    """One model, as far as memory is concerned."""

    name: str
    model_type: str
    hidden_size: int
    vocab_size: int
    widest_mlp: int
    """Inner width of the feed-forward part that one token passes; for activations."""
    parameters: Parameters
    mixers: tuple[Mixer, ...]
    """In order of layers; a layer with attention and recurrence side by side has two."""
    context_limit: int | None = None
    """`max_position_embeddings`; None where the config is silent."""
    weight_dtype: str = "bf16"
    quantization: str | None = None
    """How the published weights are quantised; None: not."""
    quantized_bits: float | None = None
    """Bits of such a weight, scales included; None: those of the method."""
    embedding_weights: int | None = None
    """Weights in the input table and the output head; None: as many as one table has."""
    state_dtype: str | None = None
    """Data type that the config asks for its recurrent state; None: it is silent."""
    notes: tuple[str, ...] = ()
    """What the figures leave out, for people."""
    checkpoint_bytes: int | None = None
    """Bytes of the weights on disk, where they lie beside the config."""

    @property
    def recurrences(self) -> tuple[Recurrence, ...]:
        return tuple(mixer for mixer in self.mixers if isinstance(mixer, Recurrence))
