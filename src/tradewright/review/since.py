"""Which files differ from a revision of the git repository."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from tradewright.core.errors import ErrorCode, InputError


def changed_since(folder: Path, revision: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the absolute paths that differ from a revision, and those of them that were in it.

    What others have changed in it since the branch left it is not the branch's doing.

    Raises:
        InputError: INPUT_REVIEW_REVISION_UNKNOWN.

    """
    here = folder if folder.is_dir() else folder.parent
    root = Path(_git(here, revision, "rev-parse", "--show-toplevel").strip())
    if revision == "HEAD" and not _has_commits(root):
        listed = _git(
            root, revision, "ls-files", "--cached", "--others", "--exclude-standard", "-z"
        )
        return _absolute(root, filter(None, listed.split("\0"))), frozenset()
    _git(here, revision, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    begun = _begun_at(root, revision)
    changed = _git(root, revision, "diff", "--name-only", "-z", begun, "--")
    new = _git(root, revision, "ls-files", "--others", "--exclude-standard", "-z")
    names = filter(None, (changed + new).split("\0"))
    edited = _git(root, revision, "diff", "--name-only", "--diff-filter=M", "-z", begun, "--")
    return _absolute(root, names), _absolute(root, filter(None, edited.split("\0")))


def _has_commits(root: Path) -> bool:
    """Return whether HEAD is anything yet: before the first commit all files are new."""
    try:
        _git(root, "HEAD", "rev-parse", "--verify", "--quiet", "HEAD")
    except InputError:
        return False
    return True


def _begun_at(root: Path, revision: str) -> str:
    """Return where the branch left the revision; the revision itself where no history tells."""
    try:
        return _git(root, revision, "merge-base", "HEAD", revision).strip()
    except InputError:
        return revision


def _absolute(root: Path, names: Iterable[str]) -> frozenset[str]:
    return frozenset(str((root / name).resolve()) for name in names)


def _git(folder: Path, revision: str, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise InputError(
            ErrorCode.INPUT_REVIEW_REVISION_UNKNOWN,
            f'git revision "{revision}" cannot be compared with',
            why=_said(error),
            hint=(
                "Give a branch, tag or commit of the repository that holds the migrations; "
                "in a pipeline, fetch it first (GitHub: fetch-depth: 0, GitLab: GIT_DEPTH: 0)."
            ),
            facts={"revision": revision},
        ) from error
    return done.stdout.decode("utf-8", "replace")


def _said(error: Exception) -> str:
    """Return what git says, in one line; where it did not run, why."""
    said = error.stderr if isinstance(error, subprocess.CalledProcessError) else b""
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return f"git says: {lines[0]}." if lines else f"git did not run: {error}."
