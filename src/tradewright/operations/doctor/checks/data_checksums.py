"""Pages carry checksums, so that a disk which lies is noticed."""

from tradewright.operations.doctor.model import Check, Finding, Ground, failure, ok, warning


def _run(ground: Ground) -> Finding:
    if ground.setting("data_checksums") != "on":
        return warning(
            "data checksums are off",
            why="A page that the disk has changed is read as if it were right, and backed up.",
            hint="Stop the server, run pg_checksums --enable on its data, and start it.",
        )
    count, last = ground.ask("checksum_failures")[0]
    if count:
        return failure(
            f"{count} pages did not fit their checksums, the last {last:%Y-%m-%d %H:%M} UTC",
            why="The disk, or what is between it and the server, changes what was written.",
            hint="Take no backup over the last good one; find the pages with pg_amcheck and "
            "pg_checksums --check, restore, exchange the disk, then pg_stat_reset().",
        )
    return ok("data checksums are on, and every page that was read fits its own")


CHECK = Check(name="data_checksums", title="Pages carry checksums", run=_run, of_server=True)
