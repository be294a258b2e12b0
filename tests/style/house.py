"""What every style test shares: where the house stands, its files, and how a broken law is told.

A style check is a function from a file or a tree to a list of offences, each beginning with
`path:line`. The house is clean when the list is empty. Each check is proved in its own file on an
example that breaks the law. What is allowed by exception stands in allowances.toml with a reason.
"""

import ast
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "tradewright"
MIGRATIONS = PACKAGE / "migrations"
ALLOWANCES = Path(__file__).with_name("allowances.toml")

FileCheck = Callable[[Path], list[str]]


def python_files(tree: Path) -> list[Path]:
    """Return every Python file below `tree`, in order."""
    return sorted(path for path in tree.rglob("*.py") if "__pycache__" not in path.parts)


def check_files(files: Iterable[Path], check: FileCheck, *, allowed: Iterable[str] = ()) -> str:
    """Run `check` on each file that is not allowed; return the offences, one to a line."""
    exempt = set(allowed)
    found = (offence for path in files if shown(path) not in exempt for offence in check(path))
    return "\n".join(found)


def shown(path: Path) -> str:
    """Return `path` as a reader of the repository knows it."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def syntax(path: Path) -> ast.Module:
    """Parse one Python file; the tree is shared by all checks, which only look at it."""
    return _parsed(path.read_text(encoding="utf-8"))


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method of a syntax tree, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def docstrings(tree: ast.AST) -> set[int]:
    """Return the identities of the nodes that are docstrings, or texts below an assignment."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def allowances(law: str) -> dict[str, str]:
    """Return the files that `law` lets off, each with its reason."""
    table: dict[str, dict[str, str]] = tomllib.loads(ALLOWANCES.read_text(encoding="utf-8"))
    return table.get(law, {})


def broken(law: str, offences: str, remedy: str) -> str:
    """Return the text of a failed style test: the law, where it is broken, what to do."""
    return f"\n{law}\n{offences}\nhint: {remedy}"
