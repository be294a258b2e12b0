"""A function takes at most five parameters.

Positional and keyword-only parameters count, `self` and `cls` do not. The function of a command
is let off: its parameters are the options that its users see. Dataclasses are let off by nature,
since nobody writes their constructor. A function that mirrors something outside, such as a
function of the database, says so beside its name: `# noqa: PLR0913 (reason)`.
"""

import ast
import re
from pathlib import Path

from tests.style.house import PACKAGE, broken, check_files, functions, python_files, shown, syntax

PARAMETERS_MAX = 5
REASONED = re.compile(r"# noqa: [A-Z0-9, ]*PLR0913\b[A-Z0-9, ]*\((\w+\W+){2,}\w+\)")


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many parameters a caller has to know."""
    given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return len([argument for argument in given if argument.arg not in {"self", "cls"}])


def is_command(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Say whether a decorator makes each parameter an option of the command line."""
    return any(
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in {"option", "argument"}
        for decorator in function.decorator_list
    )


def too_many_parameters(path: Path) -> list[str]:
    """Return the functions of a file that take more than PARAMETERS_MAX and give no reason."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [
        f"{shown(path)}:{function.lineno}: {function.name} takes {parameters(function)} parameters"
        for function in functions(syntax(path))
        if parameters(function) > PARAMETERS_MAX
        and not is_command(function)
        and not REASONED.search(lines[function.lineno - 1])
    ]


def test_no_function_takes_more_than_five_parameters() -> None:
    offences = check_files(python_files(PACKAGE), too_many_parameters)
    assert not offences, broken(
        f"No function takes more than {PARAMETERS_MAX} parameters.",
        offences,
        "Name what belongs together as a frozen dataclass and pass that.",
    )


def test_six_parameters_are_found_and_self_is_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "many.py"
    path.write_text(
        "class Desk:\n"
        "    def five(self, a, b, c, *, d, e): ...\n"
        "    def six(self, a, b, c, *, d, e, f): ...\n"
    )
    assert too_many_parameters(path) == ["many.py:3: six takes 6 parameters"]


def test_the_options_of_a_command_are_let_off(tmp_path: Path) -> None:
    path = tmp_path / "command.py"
    path.write_text('@click.option("--a")\ndef serve(a, b, c, d, e, f): ...\n')
    assert too_many_parameters(path) == []


def test_a_reason_lets_off_and_a_bare_noqa_does_not(tmp_path: Path) -> None:
    path = tmp_path / "mirror.py"
    path.write_text(
        "def six(a, b, c, d, e, f): ...  # noqa: PLR0913 (the parameters of the SQL function)\n"
        "def bare(a, b, c, d, e, f): ...  # noqa: PLR0913\n"
    )
    assert too_many_parameters(path) == ["mirror.py:2: bare takes 6 parameters"]
