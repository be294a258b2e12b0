"""Places of findings as other programs want them: paths from where the command runs."""

from pathlib import Path, PurePosixPath


def path_from_here(path: str) -> str:
    """Return a path relative to the working folder where it lies in it, and as it is elsewhere."""
    if Path(path).is_absolute() and Path(path).is_relative_to(Path.cwd()):
        return Path(path).relative_to(Path.cwd()).as_posix()
    return str(PurePosixPath(path))
