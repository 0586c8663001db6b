"""The root of `trig`: global options, the commands, and how an invocation ends."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

import trigpoint
from trigpoint.cli import accounts, console, demo, environment, jobs, lifecycle, upkeep
from trigpoint.cli.session import Failure, Session, Status, configured

app = typer.Typer(
    name="trig",
    help="A machine-learning platform of your own that speaks Vertex AI's API.",
    epilog="The global options may stand anywhere before a `--`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _module in (lifecycle, environment, demo, console, jobs, accounts, upkeep):
    _module.register(app)

_FLAGS = ("--json",)
_OPTIONS = ("--home", "--project", "--location")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one invocation and exit with its status; a Failure ends as two lines, or as JSON when asked."""
    front, rest = hoisted(sys.argv[1:] if arguments is None else arguments)
    try:
        app([*front, *rest], prog_name="trig")
    except Failure as failure:
        _tell(failure, as_json="--json" in front)
        sys.exit(failure.status)
    except KeyboardInterrupt:
        sys.exit(int(Status.INTERRUPTED))
    except BrokenPipeError:
        # The reader of a pipe has seen enough; Python must not complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(int(Status.OK))
    except OSError as error:
        _tell(
            Failure(f"{error.strerror or error}: {error.filename}" if error.filename else str(error)),
            as_json="--json" in front,
        )
        sys.exit(int(Status.FAILED))


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"trig {trigpoint.__version__}")
        raise typer.Exit


@app.callback()
def globals_(
    context: typer.Context,
    as_json: bool = typer.Option(False, "--json", help="Print the result as JSON."),
    home: Path | None = typer.Option(None, help="The state directory; otherwise TRIGPOINT_HOME, or your data folder."),
    project: str | None = typer.Option(None, help="The project to work in; otherwise the configured default."),
    location: str | None = typer.Option(None, help="The location to work in; otherwise the configured default."),
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Read the configuration once."""
    settings = configured({"home": home, "project": project, "location": location})
    context.obj = Session(
        settings,
        as_json,
        project or os.environ.get("TRIGPOINT_PROJECT") or None,
        location or os.environ.get("TRIGPOINT_LOCATION") or None,
    )


def hoisted(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the global options, from wherever before `--` or `run` they stood, and everything else."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word in {"--", "run"}:
            rest += [word, *words]
        elif word in _FLAGS or word.startswith(tuple(f"{option}=" for option in _OPTIONS)):
            front.append(word)
        elif word in _OPTIONS:
            front += [word, *(value for value in [next(words, None)] if value is not None)]
        else:
            rest.append(word)
    return front, rest


def _tell(failure: Failure, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"error": {"message": failure.message, "fix": failure.fix}}))
        return
    colour = sys.stderr.isatty()
    label = "\x1b[1;31mError:\x1b[0m" if colour else "Error:"
    print(f"{label} {failure.message}", file=sys.stderr)
    if failure.fix:
        print(failure.fix, file=sys.stderr)
