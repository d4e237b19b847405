"""Counters of model servers: one file per kind of server, told apart by the names of their metrics."""

from collections.abc import Callable

import msgspec

from modicum.calls.errors import UserError
from modicum.energy.samples import ServerReading
from modicum.energy.servers import llamacpp, sglang, tgi, vllm
from modicum.energy.servers.counters import Counters
from modicum.energy.servers.exposition import Exposition, parse_exposition


class ServerKind(msgspec.Struct, frozen=True):
    prefix: str
    """What the names of its metrics begin with."""
    read: Callable[[Exposition], Counters]
    remark: str = ""
    """What its counters cannot show."""


KINDS = {
    "vllm": ServerKind("vllm:", vllm.read),
    "sglang": ServerKind("sglang:", sglang.read, sglang.REMARK),
    "tgi": ServerKind("tgi_", tgi.read, tgi.REMARK),
    "llama.cpp": ServerKind("llamacpp:", llamacpp.read),
}


def read_server(server: str, text: str, at: float) -> ServerReading:
    """The reading in what a server's metrics page says.

    Raises:
        UserError: it is no metrics page, or of a server that is not known.
    """
    try:
        metrics = parse_exposition(text)
    except ValueError as error:
        raise UserError(f"{server}: its metrics page cannot be read ({error}); is this the right address?") from None
    for name, kind in KINDS.items():
        if metrics.has_prefix(kind.prefix):
            counters = kind.read(metrics)
            return ServerReading(
                server=server,
                kind=name,
                at=at,
                started=metrics.total("process_start_time_seconds"),
                **msgspec.structs.asdict(counters),
            )
    raise UserError(
        f"{server}: its page has no metrics of a known server (known: {', '.join(KINDS)});"
        " start llama.cpp with --metrics and SGLang with --enable-metrics"
    )
