from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tumorlens.errors import InputError, TumorlensError
from tumorlens.progress import SILENT
from tumorlens.training import jobs

_PREAMBLE = """
import json, os, signal, sys, time
def say(**message):
    print(json.dumps(message), flush=True)
"""

Run = Callable[[], dict[str, Any]]


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Run]:
    """Puts a script in the place of the child that would load TensorFlow."""

    def prepare(script: str) -> Run:
        path = tmp_path / "child.py"
        path.write_text(_PREAMBLE + textwrap.dedent(script), encoding="utf-8")
        monkeypatch.setattr(jobs, "_command", lambda job_file: [sys.executable, path, job_file])
        return lambda: jobs.run_job(
            {"task": "study", "answer": 42},
            folder=tmp_path,
            log=tmp_path / "training.log",
            title="Training",
            total_steps=10,
            threads=2,
            progress=SILENT,
        )

    return prepare


def test_the_job_goes_out_and_the_result_comes_back(child: Callable[[str], Run]) -> None:
    run = child(
        """
        job = json.load(open(sys.argv[1]))
        say(event="steps", steps=3, note="epoch 1")
        say(event="done", answer=job["answer"], threads=job["threads"],
            backend=os.environ["KERAS_BACKEND"])
        """
    )
    assert run() == {"event": "done", "answer": 42, "threads": 2, "backend": "tensorflow"}


def test_what_the_child_prints_is_logged(child: Callable[[str], Run], tmp_path: Path) -> None:
    child('print("noise", file=sys.stderr)\nsay(event="done")')()
    assert (tmp_path / "training.log").read_text(encoding="utf-8") == "noise\n"


def test_the_childs_own_error_is_raised_here(child: Callable[[str], Run]) -> None:
    run = child('say(event="error", kind="InputError", message="Too few scans: add some.")\nsys.exit(2)')
    with pytest.raises(InputError, match=r"^Too few scans: add some\.$"):
        run()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("raise RuntimeError('deep inside')", "exit code 1"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "memory ran out"),
        (
            "print('{\"event\": \"ste', end='', flush=True)\nos.kill(os.getpid(), signal.SIGKILL)",
            "it was killed, most often because memory ran out",
        ),
        ("os.kill(os.getpid(), signal.SIGTERM)", "signal 15"),
        ("say(event='steps', steps=1, note='')", "exit code 0"),
    ],
)
def test_any_other_end_is_one_sentence_with_the_log(
    child: Callable[[str], Run], tmp_path: Path, script: str, reason: str
) -> None:
    with pytest.raises(TumorlensError, match=reason) as caught:
        child(script)()
    assert str(tmp_path / "training.log") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_interrupted_parent_takes_the_child_along(
    child: Callable[[str], Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_STOP_SECONDS", 0.2)
    pid_file = tmp_path / "pid"
    run = child(
        f"""
        open({str(pid_file)!r}, "w").write(str(os.getpid()))
        say(event="steps", steps=1, note="")
        time.sleep(60)
        """
    )

    class Interrupting:
        def __enter__(self) -> Interrupting:
            return self

        def __exit__(self, *_: object) -> None: ...

        def advance(self, amount: int = 1, *, note: str | None = None) -> None:
            raise KeyboardInterrupt

        def task(self, title: str, *, total: int | None) -> Interrupting:
            return self

        def say(self, message: str) -> None: ...

    monkeypatch.setattr(jobs, "_relay", _relay_to(Interrupting()))
    with pytest.raises(KeyboardInterrupt):
        run()
    assert not psutil.pid_exists(int(pid_file.read_text()))


def _relay_to(progress: Any) -> Callable[..., dict[str, Any]]:
    relay = jobs._relay
    return lambda process, **others: relay(process, **{**others, "progress": progress})
