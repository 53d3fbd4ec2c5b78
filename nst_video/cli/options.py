"""Declaring options: checked numbers, checked text, and groups of options as dataclasses."""

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, cast, get_type_hints

import typer

from nst_video.errors import UsageError
from nst_video.validation import Range


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command for Typer whose parameters may be groups of options.

    A group is a dataclass whose fields are annotated like parameters of a Typer command. On the
    command line it is one option for each field; the command gets the dataclass.

        @dataclass(frozen=True, kw_only=True)
        class SizeOptions:
            width: Annotated[int, typer.Option(help="In pixels.")] = 640
            height: Annotated[int, typer.Option(help="In pixels.")] = 480

        @app.command()
        @grouped
        def resize(photo: Path, *, size: SizeOptions) -> None: ...

    Groups may hold groups. The names of all options of a command must differ.
    """
    hints = get_type_hints(command, include_extras=True)
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        parameters += _options(name, hints[name], parameter.default)

    # Typer calls a command with keywords only, those of its signature.
    def run(**values: Any) -> None:  # noqa: ANN401 - each value has the type of its own option
        names = inspect.signature(command).parameters
        command(**{name: _value(name, hints[name], values) for name in names})

    run.__name__, run.__doc__, run.__module__ = (
        command.__name__,
        command.__doc__,
        command.__module__,
    )
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # PEP 362
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def option_names(*groups: type) -> frozenset[str]:
    """Return the names, as parameters, of all options of groups, see `grouped`."""
    names: set[str] = set()
    for group in groups:
        for name, hint in get_type_hints(group, include_extras=True).items():
            names |= option_names(cast("type", hint)) if is_dataclass(hint) else {name}
    return frozenset(names)


def refuse_given(context: typer.Context, names: Collection[str], needed: str) -> None:
    """Refuse options that a command would ignore, whatever their values.

    Args:
        context: of the command.
        names: of the options, as parameters.
        needed: what they need, such as "--method fast".

    Raises:
        UsageError: some of them are on the command line; the message names them.
    """
    given = [
        max(parameter.opts, key=len)
        for parameter in context.command.params
        if parameter.name in names and _is_typed(context, parameter.name)
    ]
    if given:
        listed = " and ".join([", ".join(given[:-1]), given[-1]] if given[1:] else given)
        raise UsageError(f"{listed} need{'' if given[1:] else 's'} {needed}.")


def _is_typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _options(name: str, hint: Any, default: object) -> list[inspect.Parameter]:  # noqa: ANN401
    """Return the options that a parameter or a field stands for: itself, or those of a group."""
    if not is_dataclass(hint):
        kind = inspect.Parameter.KEYWORD_ONLY
        return [inspect.Parameter(name, kind, default=default, annotation=hint)]
    hints = get_type_hints(hint, include_extras=True)
    found: list[inspect.Parameter] = []
    for each in fields(hint):
        found += _options(each.name, hints[each.name], _default(each))
    return found


def _default(field: "Field[Any]") -> object:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return inspect.Parameter.empty if field.default is MISSING else field.default


def _value(name: str, hint: Any, values: Mapping[str, object]) -> object:  # noqa: ANN401
    """Return the value of a parameter or field: that of an option, or a group of options."""
    if not is_dataclass(hint):
        return values[name]
    hints = get_type_hints(hint, include_extras=True)
    made = {each.name: _value(each.name, hints[each.name], values) for each in fields(hint)}
    return cast("type[object]", hint)(**made)


def number(
    allowed: Range,
    name: str,
    *others: str,
    help: str,
    metavar: str | None = None,
    panel: str | None = None,
) -> Any:  # noqa: ANN401 - as `typer.Option` is declared
    """Declare an option that takes a number; any other value ends the program with exit code 2.

    Args:
        allowed: the range of the number; None passes as "not given".
        name: such as "--intensity".
        others: further names of the option.
        help: what it is for.
        metavar: what the help shows for the value; by default the limits, if they are small.
        panel: heading in the help.
    """

    def parse(value: str | float) -> float:
        if isinstance(value, str):
            return allowed.parse(name, value)
        allowed.check(name, value)
        return value

    return typer.Option(
        name,
        *others,
        parser=parse,
        metavar=metavar or (f"{allowed.low:g}..{allowed.high:g}" if allowed.high < 1000 else "N"),
        help=help,
        rich_help_panel=panel,
    )


def checked(parse: Callable[[str], object]) -> Callable[[str | None], str | None]:
    """Return a callback of an option that accepts only text that `parse` accepts."""

    def check(text: str | None) -> str | None:
        if text is not None:
            parse(text)
        return text

    return check
