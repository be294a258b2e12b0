"""Pages carry checksums, so that a disk which lies is noticed."""

from tradewright.operations.doctor.model import Check, Finding, Ground, ok, warning


def _run(ground: Ground) -> Finding:
    if ground.setting("data_checksums") != "on":
        return warning(
            "data checksums are off",
            why="A page that the disk has changed is read as if it were right, and backed up.",
            hint="Stop the server, run pg_checksums --enable on its data, and start it.",
        )
    return ok("data checksums are on")


CHECK = Check(name="data_checksums", title="Pages carry checksums", run=_run)
