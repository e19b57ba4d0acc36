"""Converted graphs on disk: each made once by a child process, and found again by the name of its folder."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tumorlens.progress import Progress
from tumorlens.runtime.jobs import run_job
from tumorlens.workspace import atomic_directory, write_json

__all__ = ["GRAPH_FILE", "cached_graph", "facts_digest"]

GRAPH_FILE = "graph.xml"
_WEIGHTS_FILE, _FACTS_FILE = "graph.bin", "graph.json"


def cached_graph(
    folder: Path,
    task: str,
    prepare: Callable[[Path], dict[str, Any]],
    *,
    purpose: str,
    progress: Progress,
    title: str | None = None,
) -> dict[str, Any]:
    """What a conversion found out; it is done only where ``folder`` does not hold its graph, whole.

    Args:
        folder: Where the graph is kept. Concurrent and killed conversions leave it whole.
        task: The child's task; it writes ``graph.xml`` and ``graph.bin``.
        prepare: Gives its arguments, once files that go with them lie in the child's folder.
        purpose: What the user is waiting for, as the subject of a sentence ("Converting ResNet50").
        progress: Told when a conversion starts.
        title: What the progress bar says; ``purpose`` by default.

    Returns:
        The task's answer, from now or from then.

    Raises:
        TumorlensError: The conversion failed.
        StorageError: ``folder`` cannot be written.
    """
    found = _load(folder)
    if found is None:
        with progress.task(title or purpose, total=1) as bar:
            _convert(folder, task, prepare, purpose=purpose)
            bar.advance()
        found = _load(folder)
    assert found is not None
    return found


def facts_digest(facts: dict[str, Any]) -> str:
    """SHA-256 over JSON values."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _load(folder: Path) -> dict[str, Any] | None:
    """The facts of the graph in ``folder`` if all of it is there."""
    try:
        facts = json.loads((folder / _FACTS_FILE).read_text(encoding="utf-8"))
        answer: dict[str, Any] = facts["answer"]
        if any((folder / name).stat().st_size != size for name, size in facts["bytes"].items()):
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return answer


def _convert(folder: Path, task: str, prepare: Callable[[Path], dict[str, Any]], *, purpose: str) -> None:
    names = (GRAPH_FILE, _WEIGHTS_FILE)
    try:
        with atomic_directory(folder, replace=True) as target:
            with tempfile.TemporaryDirectory(dir=target, prefix="job-") as job:
                answer = run_job(task, prepare(Path(job)), folder=Path(job), purpose=purpose)
                for name in names:
                    (Path(job) / name).rename(target / name)
            sizes = {name: (target / name).stat().st_size for name in names}
            write_json(target / _FACTS_FILE, {"answer": answer, "bytes": sizes})
    except OSError:
        if _load(folder) is None:  # else another process was faster
            raise
