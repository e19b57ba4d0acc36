"""Printing results: JSON or text on standard output, nothing else there."""

from __future__ import annotations

import json
from typing import Any

import typer

__all__ = ["print_comparison", "print_cross_validation", "print_json", "print_next", "print_table"]


def print_json(document: Any, *, one_line: bool = False) -> None:
    """Print one JSON document; NaN and infinity are refused."""
    typer.echo(json.dumps(document, indent=None if one_line else 2, ensure_ascii=False, allow_nan=False))


def print_table(renderable: Any) -> None:
    """Print a Rich renderable; wide enough for a table when the output is no terminal."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 120)
    console.print(renderable)


def print_next(*commands: str) -> None:
    """Print what to type next."""
    for command in commands:
        typer.echo(f"Next:  {command}")


def print_comparison(result: Any) -> None:
    """Print a comparison's tables, where its files lie, and what to type next."""
    from tumorlens.reports import to_rich

    print_table(to_rich(result.comparison))
    typer.echo("")
    typer.echo(f"Report:     {result.report}")
    if result.best_run is not None:
        typer.echo(f"Best model: {result.best_run.bundle}")
        print_next(f"tumorlens predict {result.best_run.bundle} SCAN.png")


def print_not_logged(result: Any) -> None:
    """Say on standard error why MLflow was not told of all runs, where that is so."""
    if result.not_logged:
        typer.echo(result.not_logged, err=True)


def print_cross_validation(result: Any) -> None:
    """Print a cross-validated comparison's tables, where its files lie, and what makes a model."""
    from tumorlens.reports import cross_validation_to_rich

    print_table(cross_validation_to_rich(result.comparison))
    typer.echo("")
    typer.echo(f"Report:      {result.report}")
    typer.echo(f"Predictions: {result.predictions}")
    print_next(*result.next_commands)
