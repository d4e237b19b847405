"""What the hooks of one agent may do: watch, or act with chosen rules, and on which sessions not."""

import hashlib
import json
import os
from pathlib import Path
from typing import NamedTuple

SCHEMA = 1
OBSERVED, ACTED, HELD_OUT = "observed", "acted", "held_out"
"""Arms of a session."""


class HookPolicy(NamedTuple):
    """Written by the command line, read by each hook."""

    key: bytes
    """Of all digests: without it nobody can guess a text from what is recorded."""
    rules: tuple[str, ...] = ()
    """Those that act; none: everything is only watched."""
    hold_out: float = 0.1
    """Share of sessions on which chosen rules do not act."""

    def arm(self, session: str) -> str:
        """What happens to a session's results. All of them have the same arm."""
        if not self.rules:
            return OBSERVED
        lot = int.from_bytes(self.digest("lot", session)[:7], "big") / 2**56
        return HELD_OUT if lot < self.hold_out else ACTED

    def digest(self, kind: str, text: str) -> bytes:
        """The same for the same text, and of no use to who has not the key."""
        content = f"{kind}\0{text}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(content, digest_size=12, key=self.key[:64]).digest()


def read_policy(folder: Path, agent: str) -> HookPolicy | None:
    """None: the hooks were removed, or another version wrote what this one cannot read."""
    try:
        fields = json.loads(_place(folder, agent).read_bytes())
        if fields["schema"] != SCHEMA:
            return None
        return HookPolicy(bytes.fromhex(fields["key"]), tuple(map(str, fields["rules"])), float(fields["hold_out"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_policy(folder: Path, agent: str, policy: HookPolicy) -> None:
    """Makes the policy hold for all hooks that start from now on."""
    fields = {"schema": SCHEMA, "key": policy.key.hex(), "rules": policy.rules, "hold_out": policy.hold_out}
    write_private(_place(folder, agent), json.dumps(fields).encode())


def forget_policy(folder: Path, agent: str) -> None:
    _place(folder, agent).unlink(missing_ok=True)


def write_private(path: Path, content: bytes) -> None:
    """Writes a file of ours at once, for its owner's eyes alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    beside.replace(path)


def _place(folder: Path, agent: str) -> Path:
    return folder / f"{agent}.policy.json"
