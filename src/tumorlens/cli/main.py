"""The command ``tumorlens``: gathers the commands and turns every error into one sentence and an exit code.

Command modules import nothing heavy until they run, so that ``--help`` answers at once.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from tumorlens.cli import (
    backbones,
    cache,
    compare,
    data,
    demo,
    doctor,
    ensemble,
    evaluate,
    export,
    keys,
    predict,
    report,
    runs,
    search,
    serve,
    train,
)
from tumorlens.cli.options import JsonOption, QuietOption, ThreadsOption, WorkspaceOption
from tumorlens.errors import EXIT_CODE, TumorlensError

__all__ = ["app", "main"]

_INTERRUPTED = 130
_INTERNAL_ERROR = 1

app = typer.Typer(
    name="tumorlens",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Compare pretrained networks on brain-MRI slices, fairly and on a CPU. For research, not for patient care.",
)
app.command("demo", short_help="The whole way on synthetic scans, offline.")(demo.demo)
app.add_typer(data.app, name="data")
app.command("compare", short_help="Compare networks on a data set.")(compare.compare)
app.command("train", short_help="Train one model.")(train.train)
app.command("search", short_help="The best configuration in a given time.")(search.search)
app.command("ensemble", short_help="Several runs become one model.")(ensemble.ensemble)
app.command("evaluate", short_help="All figures of a model on a data set.")(evaluate.evaluate)
app.command("report", short_help="The report of a run or comparison.")(report.report)
app.command("predict", short_help="What a model says about scans.")(predict.predict)
app.command("serve", short_help="A model over HTTP.")(serve.serve)
app.add_typer(keys.app, name="keys")
app.command("export", short_help="A model for another program.")(export.export)
app.add_typer(runs.app, name="runs")
app.add_typer(backbones.app, name="backbones")
app.add_typer(cache.app, name="cache")
app.command("doctor", short_help="Whether this machine has what is needed.")(doctor.doctor)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    workspace: WorkspaceOption = None,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """Hold the options that may stand before a command's name."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"tumorlens {installed('tumorlens')}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Words after the program's name; ``sys.argv`` by default.

    Returns:
        0, 2 for anything the user can mend, 130 when interrupted, 1 for a fault of tumorlens.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        return _run(arguments)
    except TumorlensError as error:
        _complain(str(error))
        return next(EXIT_CODE[kind] for kind in type(error).__mro__ if kind in EXIT_CODE)
    except KeyboardInterrupt:
        _complain("Stopped. Nothing finished is lost: run the same command again to go on.")
        return _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            _complain("The disk is full: free some space and run the same command again to go on.")
            return EXIT_CODE[TumorlensError]
        return _fault(error)
    except Exception as error:
        return _fault(error)


def _run(arguments: Sequence[str] | None) -> int:
    command = typer.main.get_command(app)
    try:
        result = command.main(
            args=None if arguments is None else list(arguments),
            prog_name="tumorlens",
            standalone_mode=False,
        )
    except Exception as error:
        show = getattr(error, "show", None)  # a usage error of the parser
        if show is None:
            if type(error).__name__ == "Abort":  # a question answered with no
                _complain("Not confirmed: nothing was changed.")
                return EXIT_CODE[TumorlensError]
            raise
        show()
        return int(getattr(error, "exit_code", EXIT_CODE[TumorlensError]))
    if result == _INTERRUPTED:  # the parser turns Ctrl-C into this number
        raise KeyboardInterrupt
    return result if isinstance(result, int) else 0


def _complain(sentence: str) -> None:
    from rich.console import Console

    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]Error:[/] {_escape(sentence)}")


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _fault(error: Exception) -> int:
    if os.environ.get("TUMORLENS_DEBUG"):
        raise error
    _complain(
        f"A fault in tumorlens ({type(error).__name__}: {error}). What was finished is kept. "
        "Set TUMORLENS_DEBUG=1 and run the command again for the details to report."
    )
    return _INTERNAL_ERROR
