"""What a rewriting is: the changes it offers, the proof of them, and what it leaves alone."""

from dataclasses import dataclass
from difflib import unified_diff

from tradewright.review.model import Edit


@dataclass(frozen=True, slots=True, order=True)
class Fix:
    """One correction that a rule offers, with its place in the text it was offered for."""

    path: str
    line: int
    rule: str
    subject: str
    edits: tuple[Edit, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what stays the same when other lines of the file change."""
        return (self.path, self.rule, self.subject)


@dataclass(frozen=True, slots=True, order=True)
class Reason:
    """Something that is not rewritten, or no longer: where, what about, and why."""

    path: str
    line: int
    subject: str
    why: str

    def as_dict(self) -> dict[str, object]:
        """Return the reason as JSON-ready values."""
        return {"path": self.path, "line": self.line, "subject": self.subject, "why": self.why}


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file before and after; `before` is None for a file that is new."""

    path: str
    before: bytes | None
    after: bytes
    fixes: tuple[str, ...]

    def diff(self) -> str:
        """Return the change as a unified diff."""
        old = (self.before or b"").decode("utf-8", "replace").splitlines(keepends=True)
        new = self.after.decode("utf-8", "replace").splitlines(keepends=True)
        named = "/dev/null" if self.before is None else f"a/{self.path}"
        lines = unified_diff(old, new, named, f"b/{self.path}")
        marked = (
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in lines
        )
        return "".join(marked)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a folder could be rewritten to, proven on a scratch server.

    `unconverted` is what the files hold that has no sure meaning, `withdrawn` what was written and
    did not prove, `notes` what a reader should know about the changes.
    """

    changes: tuple[FileChange, ...]
    unconverted: tuple[Reason, ...] = ()
    withdrawn: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()

    def diff(self) -> str:
        """Return all changes as one unified diff."""
        return "".join(change.diff() for change in self.changes)

    def as_dict(self) -> dict[str, object]:
        """Return the proposal as JSON-ready values."""
        return {
            "changes": [
                {"path": c.path, "new": c.before is None, "fixes": list(c.fixes), "diff": c.diff()}
                for c in self.changes
            ],
            "unconverted": [reason.as_dict() for reason in self.unconverted],
            "withdrawn": [reason.as_dict() for reason in self.withdrawn],
            "notes": [reason.as_dict() for reason in self.notes],
        }
