"""What was set is in force: no setting waits for a restart that nobody has planned."""

from tradewright.operations.doctor.model import Check, Finding, Ground, named, ok, warning


def _run(ground: Ground) -> Finding:
    names = [row[0] for row in ground.ask("settings_waiting")]
    if names:
        return warning(
            f"changed and not in force: {named(names)}",
            why="The server runs with other settings than its files say, until a restart in the "
            "night brings them, with whatever is wrong in them.",
            hint="Restart the server when it suits, or take the change back.",
        )
    return ok("every setting is in force")


CHECK = Check(name="settings_in_force", title="Settings are in force", run=_run, of_server=True)
