"""How a server is run: where it listens, what it answers, and how much of anything it takes."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from tumorlens.errors import InputError
from tumorlens.scans import ReadLimits
from tumorlens.workspace import Workspace

__all__ = ["ServeLimits", "ServeSettings", "is_loopback"]

_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class ServeLimits:
    """What is refused.

    Attributes:
        body_bytes: Largest body of a request.
        files: Most files in one request.
        frames: Most scans that the files of one request may hold together.
        pixels: Largest height times width of one scan.
        head_seconds: Longest wait for a request's head.
        idle_seconds: Longest pause within a body.
        body_seconds: Longest time a body may take in all.
        answer_seconds: Longest time an answer may take.
        requests_a_minute: Of one client, on average; bursts of half as many are let through.
        connections: Most open connections.
        waiting: Most scans that may wait for the network.
    """

    body_bytes: int = 256 * _MIB
    files: int = 512
    frames: int = 1000
    pixels: int = 25_000_000
    head_seconds: float = 10.0
    idle_seconds: float = 20.0
    body_seconds: float = 120.0
    answer_seconds: float = 120.0
    requests_a_minute: float = 3000.0
    connections: int = 512
    waiting: int = 256

    def __post_init__(self) -> None:
        """Raise where a limit is not above 0.

        Raises:
            InputError: Says which.
        """
        for name, value in vars(self).items():
            if not value > 0:
                raise InputError(f"Expected the limit {name} above 0, got {value:g}.")

    @property
    def reading(self) -> ReadLimits:
        """Limits of the files themselves."""
        most = self.body_bytes
        return ReadLimits(file_bytes=most, pixels=self.pixels, frames=self.frames, decoded_bytes=2 * most)


@dataclass(frozen=True, kw_only=True)
class ServeSettings:
    """How a server is run.

    Attributes:
        bundle: The model's folder.
        workspace: Whose runs are listed, and from which another model may be taken by name.
        host: Address to listen on; any but loopback needs ``auth`` or ``insecure``.
        port: Port to listen on; 0: any free one.
        auth: Whether clients must send a key.
        insecure: Whether anyone who reaches the address may ask, without a key.
        database_url: Where keys are kept; ``None``: in the workspace.
        host_names: Names by which clients may call the server; empty: those of loopback, or any on another
            address.
        threads: CPU threads; ``None``: all that the process may use.
        keep_uploads: Folder where uploaded files are kept; ``None``: they never touch the disk.
        limits: What is refused.
    """

    bundle: Path
    workspace: Workspace
    host: str = "127.0.0.1"
    port: int = 8000
    auth: bool = False
    insecure: bool = False
    database_url: str | None = None
    host_names: tuple[str, ...] = ()
    threads: int | None = None
    keep_uploads: Path | None = None
    limits: ServeLimits = field(default_factory=ServeLimits)

    def __post_init__(self) -> None:
        """Raise where the server would be open to others by accident.

        Raises:
            InputError: Says what to do.
        """
        if not 0 <= self.port <= 65_535:
            raise InputError(f"Expected --port in 0..65535, got {self.port}.")
        if self.auth and self.insecure:
            raise InputError("--auth asks for keys and --insecure for none: give one of the two.")
        if not is_loopback(self.host) and not (self.auth or self.insecure):
            raise InputError(
                f"--host {self.host} lets others ask the model without a login: add --auth and make keys (tumorlens "
                "keys add NAME), leave --host out to serve this machine alone, or add --insecure where the network "
                "itself is guarded."
            )

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """Names that the header Host may hold; empty: any."""
        if self.host_names or not is_loopback(self.host):
            return self.host_names
        return ("localhost", "127.0.0.1", "[::1]")


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
