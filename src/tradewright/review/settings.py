"""What a project asks of its review: `[tool.tradewright.review]`, tradewright.toml, options."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from tradewright.core.errors import ErrorCode, InputError
from tradewright.review.model import Severity
from tradewright.review.source.text import Wrapping

RETAINED = r"ledger|audit|trade|order|execution|payment|transaction|fill|journal|settlement"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one review.

    `disable` names rules that do not run, `severity` changes how bad a rule's findings are,
    `transaction` overrides how the runner sends files, `retained` is a pattern of tables whose
    rows must be kept. `timeouts_set` says that the runner itself
    sets lock_timeout and statement_timeout; `prove` that a shadow database is asked too. `schema`
    is a file with what stands before the first migration, as pg_dump writes it; `placeholders` are
    the values that a runner or a shell fills in, by their names.
    """

    disable: frozenset[str] = frozenset()
    exclude: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict)
    transaction: Wrapping | None = None
    retained: str = RETAINED
    timeouts_set: bool = False
    require_down: bool | None = None
    prove: bool = True
    schema: Path | None = None
    placeholders: Mapping[str, str] = field(default_factory=dict)

    def is_retained(self, table: str) -> bool:
        """Return whether the rows of a table must be kept, by its name."""
        return re.search(self.retained, table, re.IGNORECASE) is not None


def read_settings(folder: Path) -> Settings:
    """Return the settings found in the folder or the nearest one above it.

    Raises:
        InputError: INPUT_REVIEW_SETTINGS_UNREADABLE.

    """
    start = folder.resolve()
    for here in (start, *start.parents):
        for name, keys in (
            ("tradewright.toml", ("review",)),
            ("pyproject.toml", ("tool", "tradewright", "review")),
        ):
            table = _table(here / name, keys)
            if table is not None:
                return _settings(table, here / name)
    return Settings()


def _table(path: Path, keys: tuple[str, ...]) -> Mapping[str, object] | None:
    if not path.is_file():
        return None
    import tomllib  # noqa: PLC0415 - most folders have no such file above them

    try:
        value: object = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _unreadable(path, str(error)) from error
    for depth, key in enumerate(keys):
        is_ours = depth == len(keys) - 1
        if is_ours and isinstance(value, dict) and (strange := sorted(value.keys() - {key})):
            raise _unreadable(path, f"unknown table or key: {', '.join(strange)}")
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else None


def _settings(table: Mapping[str, object], path: Path) -> Settings:
    known = {f.name for f in fields(Settings)}
    names = {key.replace("-", "_"): value for key, value in table.items()}
    unknown = sorted(names.keys() - known)
    if unknown:
        raise _unreadable(path, f"unknown key: {', '.join(unknown)}")
    try:
        settings = _converted(names, path.parent)
    except (TypeError, ValueError, AttributeError) as error:
        raise _unreadable(path, str(error)) from error
    missing = _unknown_rules({*settings.disable, *settings.severity})
    if missing:
        raise _unreadable(path, f"unknown rule: {', '.join(missing)}")
    return settings


def _unknown_rules(named: set[str]) -> list[str]:
    """Return the names that no rule has: what they were to switch off would go on in silence."""
    if not named:
        return []
    from tradewright.review.registry import all_rules  # noqa: PLC0415 - rules read the settings

    return sorted(named - all_rules().keys())


_SWITCHES = frozenset({"timeouts_set", "require_down", "prove"})


def _converted(names: Mapping[str, object], home: Path) -> Settings:
    settings = Settings()
    for name, value in names.items():
        if name == "disable" and isinstance(value, list):
            settings = replace(settings, disable=frozenset(map(str, value)))
        elif name == "exclude" and isinstance(value, list):
            settings = replace(settings, exclude=tuple(map(str, value)))
        elif name == "severity" and isinstance(value, dict):
            levels = {str(rule): Severity(str(level)) for rule, level in value.items()}
            settings = replace(settings, severity=levels)
        elif name == "transaction":
            settings = replace(settings, transaction=Wrapping(str(value)))
        elif name == "retained" and isinstance(value, str):
            re.compile(value)
            settings = replace(settings, retained=value)
        elif name == "placeholders" and isinstance(value, dict):
            settings = replace(settings, placeholders={k: str(v) for k, v in value.items()})
        elif name in _SWITCHES and isinstance(value, bool):
            settings = _switched(settings, name, on=value)
        elif name == "schema" and isinstance(value, str):
            settings = replace(settings, schema=home / value)
        else:
            raise ValueError(f"{name} cannot be {value!r}")
    return settings


def _switched(settings: Settings, name: str, *, on: bool) -> Settings:
    match name:
        case "timeouts_set":
            return replace(settings, timeouts_set=on)
        case "require_down":
            return replace(settings, require_down=on)
        case _:
            return replace(settings, prove=on)


def _unreadable(path: Path, why: str) -> InputError:
    return InputError(
        ErrorCode.INPUT_REVIEW_SETTINGS_UNREADABLE,
        f'settings of the review in "{path}" cannot be read',
        why=f"{why[0].upper()}{why[1:]}.",
        hint="Compare them with docs/how-to/review.md.",
        facts={"path": path},
    )
