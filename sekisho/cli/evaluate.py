"""Placeholder."""

import typer

app = typer.Typer()
EXAMPLES = ""


def demo() -> None:
    """Soon."""


@app.callback()
def group() -> None:
    """Soon."""
