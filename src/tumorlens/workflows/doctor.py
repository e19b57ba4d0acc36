"""Whether a machine has what tumorlens needs: one finding a subject."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from tumorlens.extras import has_extra
from tumorlens.workflows.backbone_facts import list_backbones
from tumorlens.workspace import Workspace

__all__ = ["Finding", "examine", "machine_facts", "version_facts"]

_LIBRARIES = ("tumorlens", "keras", "openvino", "scikit-learn", "scipy", "numpy", "pillow")
_EXTRAS = {
    "serve": "tumorlens serve",
    "train": "--head study, --fine-tune and --from-scratch",
    "int8": "--precision int8 and auto",
    "search": "tumorlens search",
    "mlflow": "--mlflow",
    "export": "tumorlens export --format onnx",
}
_NEEDED_MEMORY_GB = 4.0
_NEEDED_DISK_GB = 5.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: What.
        ok: Whether it is as it should be.
        needed: Whether tumorlens cannot work without it.
        text: What was found, and what to do where it is not ok.
    """

    subject: str
    ok: bool
    needed: bool
    text: str

    def to_json(self) -> dict[str, Any]:
        """The finding as JSON."""
        return asdict(self)


def examine(workspace: Workspace, weights_dir: Path | None) -> list[Finding]:
    """Look at versions, processor, memory, disk, workspace, extras and weights."""
    memory_gb = psutil.virtual_memory().total / 1e9
    place = workspace.root if workspace.root.exists() else Path.cwd()
    disk_gb = shutil.disk_usage(place).free / 1e9
    writable = os.access(place, os.W_OK)
    present = [row["name"] for row in list_backbones(weights_dir) if row["weights_at_hand"]]
    return [
        Finding(
            "versions",
            True,
            True,
            ", ".join(f"{name} {text}" for name, text in version_facts().items()),
        ),
        Finding("processor", True, True, f"{os.cpu_count()} threads, {platform.machine()}"),
        Finding(
            "memory",
            memory_gb >= _NEEDED_MEMORY_GB,
            False,
            f"{memory_gb:.1f} GB, {_NEEDED_MEMORY_GB:.0f} wanted",
        ),
        Finding(
            "disk",
            disk_gb >= _NEEDED_DISK_GB,
            False,
            f"{disk_gb:.1f} GB free, {_NEEDED_DISK_GB:.0f} wanted",
        ),
        Finding(
            "workspace",
            writable,
            True,
            f"{workspace.root}" + ("" if writable else " cannot be written"),
        ),
        *(_extra(name, used_for) for name, used_for in _EXTRAS.items()),
        Finding("weights at hand", bool(present), True, ", ".join(present) or "none"),
    ]


def _extra(name: str, used_for: str) -> Finding:
    found = has_extra(name)
    text = "installed" if found else f'not installed: pip install "tumorlens[{name}]" for {used_for}'
    return Finding(f"extra {name}", found, False, text)


def version_facts() -> dict[str, str]:
    """Installed versions of tumorlens and what its figures rest on."""
    return {name: version(name) for name in _LIBRARIES}


def machine_facts() -> str:
    """Processor threads, memory and system, in a line without the machine's name."""
    memory_gb = psutil.virtual_memory().total / 1e9
    return f"{os.cpu_count()} CPU threads ({platform.machine()}), {memory_gb:.0f} GB memory, {platform.system()}"
