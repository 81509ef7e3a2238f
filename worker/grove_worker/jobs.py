"""The jobs of `tutor k8s do`: which there are, and the scripts of one.

Tutor and its plugins make a script of the words of the command line and put them into it as they
are. The client lets through only words that mean nothing to a shell; what is asked for without
being shown stays a token here, which the client gives its meaning.
"""

from __future__ import annotations

import typing as t

import click
from tutor import env as tutor_env
from tutor import hooks
from tutor.commands import jobs as tutor_jobs

from .errors import WorkerError
from .render import guarded, naming
from .secret import plain

#: Stands in a script where the answer to a hidden question does.
TOKEN = "GroveAnswer{}"


def known() -> list[dict[str, str]]:
    """The jobs by name, each with a line of help and its usage."""
    found = []
    for name, command in sorted(_commands().items()):
        context = click.Context(command, info_name=name)
        found.append(
            {
                "name": name,
                "help": command.get_short_help_str(limit=80),
                "usage": command.get_help(context),
            }
        )
    return found


def scripts(config: dict[str, t.Any], root: str, words: list[str]) -> dict[str, t.Any]:
    """The steps of a job, each a service and a script, and what was asked for to make them."""
    commands = _commands()
    name, *arguments = words
    if name not in commands:
        raise WorkerError("usage", f"there is no job `{name}`", keys=commands)
    renderer = guarded(tutor_env.Renderer(config))
    steps: list[dict[str, str]] = []
    asked: list[str] = []

    def take(tasks: t.Iterable[tuple[str, str]]) -> None:
        for service, text in tasks:
            steps.append({"service": service, "text": plain(renderer.render_str(text)).strip()})

    def prompt(text: str, *_args: t.Any, hide_input: bool = False, **_kwargs: t.Any) -> str:
        if not hide_input:
            raise WorkerError("usage", f"the job asks `{text}`: give the option that answers it")
        asked.append(text)
        return TOKEN.format(len(asked) - 1)

    def confirm(text: str, *_args: t.Any, **_kwargs: t.Any) -> t.NoReturn:
        raise WorkerError("usage", f"the job asks `{text}`: give the option that answers it")

    tutor_jobs.do_callback = take
    for module in (click, click.core, click.termui):
        module.prompt, module.confirm = prompt, confirm
    with naming(f"the job {name}"):
        try:
            commands[name].main(
                args=arguments, prog_name=name, standalone_mode=False, obj=_Context(root)
            )
        except click.ClickException as error:
            raise WorkerError("usage", error.format_message()) from error
    return {"steps": steps, "asked": asked}


class _Context:
    """What a job may want of Tutor's own context."""

    def __init__(self, root: str) -> None:
        self.root = root


def _commands() -> dict[str, click.Command]:
    return {
        command.name: command
        for command in hooks.Filters.CLI_DO_COMMANDS.iterate()
        if command.name and not command.hidden
    }
