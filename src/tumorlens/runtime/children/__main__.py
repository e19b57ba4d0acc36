"""The child process: reads ``request.json``, does the task, writes ``answer.json``."""

from __future__ import annotations

import json
import re
import sys
import traceback
from pathlib import Path
from typing import Any

from tumorlens.errors import TumorlensError


def main(folder: Path) -> None:
    """Do the task described in ``folder`` and leave the answer there."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    try:
        answer = _run(request, folder)
    except TumorlensError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    except Exception as error:  # whatever Keras raises must reach the user as one sentence
        traceback.print_exc()
        answer = {"failure": f"{type(error).__name__}: {_first_words(error)}"}
    temporary = folder / "answer.tmp"
    temporary.write_text(json.dumps(answer), encoding="utf-8")
    temporary.replace(folder / "answer.json")


def _first_words(error: Exception) -> str:
    """The first line that says something; Keras puts the place before the reason, and colours it."""
    lines = (re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in str(error).splitlines())
    said = (line for line in lines if line and not line.startswith("Exception encountered"))
    return next(said, "no reason given").rstrip(".:")


def _run(request: dict[str, Any], folder: Path) -> dict[str, Any]:
    sys.modules["tensorflow"] = None  # type: ignore[assignment]  # Keras would import it for nothing: seconds and memory
    task = request.pop("task")
    if task == "quantise":
        from tumorlens.runtime.children.quantise import quantise

        return quantise(folder, **request)
    from tumorlens.runtime.children.tasks import TASKS

    return TASKS[task](folder, **request)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
