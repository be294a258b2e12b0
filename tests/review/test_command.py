"""The command `tradewright review`: formats, thresholds, baseline, ignores, settings, scope."""

import json
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tradewright.cli.review import command
from tradewright.review.report import FORMATS

BAD = (
    "CREATE TABLE users (id uuid PRIMARY KEY);\n"
    "CREATE TABLE payments (\n"
    "    id uuid PRIMARY KEY,\n"
    "    paid_at timestamp NOT NULL\n"
    ");\n"
)
GOOD = "CREATE TABLE users (id uuid PRIMARY KEY);\n"


def review(*arguments: object) -> Result:
    """Run the read stage only; test_proven_review has the other."""
    return CliRunner().invoke(command, ["--no-prove", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "001_init.sql").write_text(BAD, "utf-8")
    return tmp_path


def test_exit_codes_follow_the_threshold(folder: Path) -> None:
    assert review(folder).exit_code == 1
    assert review(folder, "--fail-on", "critical").exit_code == 0
    assert review(folder, "--fail-on", "never").exit_code == 0
    assert review(folder / "nothing").exit_code == 2
    assert review().exit_code == 2


def test_terminal_shows_line_caret_and_help(folder: Path) -> None:
    lines = review(folder).output.splitlines()
    at = next(i for i, line in enumerate(lines) if "prefer-timestamp-tz" in line)
    assert lines[at + 1].endswith("001_init.sql:4:5")
    assert lines[at + 2] == " 4 |     paid_at timestamp NOT NULL"
    assert lines[at + 3] == "   |     ^"
    assert lines[at + 4] == "  help: Use timestamptz."


def test_every_format_counts_lines_from_one(folder: Path) -> None:
    found = json.loads(review(folder, "--json").output)
    assert [(f["rule"], f["line"]) for f in found["findings"]] == [("prefer-timestamp-tz", 4)]
    assert found["status"] == "action required"
    sarif = json.loads(review(folder, "--format", "sarif").output)
    result = sarif["runs"][0]["results"][0]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert (sarif["version"], region["startLine"], region["startColumn"]) == ("2.1.0", 4, 5)
    gitlab = json.loads(review(folder, "--format", "gitlab").output)
    assert gitlab[0]["location"]["lines"]["begin"] == 4
    assert ",line=4,col=5," in review(folder, "--format", "github").output
    junit = ET.fromstring(review(folder, "--format", "junit").output)  # noqa: S314 - our own text
    assert junit[0].attrib["failures"] == "1"
    assert "at line 4, column 5" in junit[0][0].attrib["name"]
    assert "001_init.sql:4" in review(folder, "--format", "markdown").output
    assert "001_init.sql</code> (5 lines)" in review(folder, "--format", "html").output


def test_a_report_can_be_written_to_a_file(folder: Path) -> None:
    report = folder / "review.md"
    review(folder, "--format", "markdown", "--output", report)
    assert report.read_text("utf-8").startswith("# Migration review")


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_renders_a_clean_review(form: str, tmp_path: Path) -> None:
    (tmp_path / "001_init.sql").write_text(GOOD, "utf-8")
    assert review(tmp_path, "--format", form).exit_code == 0


def test_the_baseline_silences_what_is_known_although_lines_move(folder: Path) -> None:
    baseline = folder / "baseline.json"
    assert review(folder, "--baseline", baseline, "--update-baseline").exit_code == 0
    (folder / "001_init.sql").write_text("-- a new first line\n" + BAD, "utf-8")
    known = review(folder, "--baseline", baseline)
    assert known.exit_code == 0
    assert "1 findings of the baseline not shown" in known.output
    (folder / "002_more.sql").write_text("ALTER TABLE users ADD COLUMN at timestamp;\n", "utf-8")
    assert review(folder, "--baseline", baseline).exit_code == 1


def test_an_unreadable_baseline_is_an_error_of_use(folder: Path) -> None:
    (folder / "baseline.json").write_text("[]", "utf-8")
    done = review(folder, "--baseline", folder / "baseline.json")
    assert done.exit_code == 2
    assert "INPUT_REVIEW_BASELINE_UNREADABLE" in done.output


def test_an_ignore_with_a_reason_is_obeyed_and_one_of_no_use_is_reported(folder: Path) -> None:
    path = folder / "001_init.sql"
    comment = "-- tradewright: ignore prefer-timestamp-tz"
    path.write_text(BAD.replace("CREATE TABLE p", f"{comment}: local wall clock\nCREATE TABLE p"))
    assert review(folder).exit_code == 0
    assert "unused-ignore" not in review(folder).output
    path.write_text(BAD.replace("CREATE TABLE p", f"{comment}\nCREATE TABLE p"))
    told = review(folder)
    assert told.exit_code == 1
    assert "gives no reason" in told.output
    path.write_text(GOOD + f"{comment}: nothing to silence\n")
    assert "silences nothing" in review(folder).output


def test_an_ignore_at_the_end_of_the_line_is_obeyed(folder: Path) -> None:
    ending = "NOT NULL -- tradewright: ignore prefer-timestamp-tz: local wall clock"
    (folder / "001_init.sql").write_text(BAD.replace("NOT NULL", ending))
    assert review(folder).exit_code == 0


def test_settings_disable_rules_and_change_severities(folder: Path) -> None:
    settings = folder / "tradewright.toml"
    settings.write_text('[review]\nseverity = { prefer-timestamp-tz = "info" }\n')
    assert review(folder).exit_code == 0
    settings.write_text('[review]\ndisable = ["prefer-timestamp-tz"]\n')
    assert "no findings" in review(folder).output
    settings.write_text('[review]\ntransaction = "sometimes"\n')
    assert review(folder).exit_code == 2
    settings.unlink()
    (folder / "pyproject.toml").write_text('[tool.tradewright.review]\nexclude = ["001*"]\n')
    (folder / "002_b.sql").write_text(GOOD)
    assert review(folder).exit_code == 0


def test_after_a_version_only_later_files_are_judged(folder: Path) -> None:
    (folder / "002_index.sql").write_text("CREATE INDEX i ON payments (paid_at);\n")
    told = review(folder, "--after", "1").output
    assert "prefer-timestamp-tz" not in told
    assert "require-concurrent-index-creation" in told
    assert "no findings" in review(folder, "--after", "002").output


def test_since_a_revision_only_changed_files_are_judged(folder: Path) -> None:
    def git(*words: str) -> None:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    (folder / "002_index.sql").write_text("CREATE INDEX i ON payments (paid_at);\n")
    told = review(folder, "--since", "HEAD").output
    assert "prefer-timestamp-tz" not in told
    assert "require-concurrent-index-creation" in told
    (folder / "001_init.sql").write_text(BAD + "-- edited\n")
    assert "edited-after-release" in review(folder, "--since", "HEAD").output
    assert review(folder, "--since", "nowhere").exit_code == 2


def test_rules_are_listed_and_explained() -> None:
    assert "prefer-timestamp-tz" in review("--rules").output
    page = review("--explain", "prefer-timestamp-tz").output
    assert "**Instead of**" in page
    assert "Not reported when" in page
    assert review("--explain", "no-such-rule").exit_code == 2


def test_what_cannot_be_read_or_written_is_an_error_of_use(folder: Path, tmp_path: Path) -> None:
    nowhere = review(folder, "--output", tmp_path / "no" / "such" / "place")
    assert (nowhere.exit_code, "cannot be written" in nowhere.output) == (2, True)
    unknown = review(folder, "--after", "yesterday")
    assert (unknown.exit_code, "MIGRATION_VERSION_UNKNOWN" in unknown.output) == (2, True)
    (folder / "009_gone.sql").symlink_to(tmp_path / "gone.sql")
    gone = review(folder)
    assert (gone.exit_code, "MIGRATION_FILE_UNREADABLE" in gone.output) == (2, True)


@pytest.mark.parametrize("after", ["041", "2", "abc", "v1", "1abc", "1.1"])
def test_after_a_version_that_is_not_there_nothing_is_passed(folder: Path, after: str) -> None:
    (folder / "003_more.sql").write_text("CREATE TABLE more (id uuid PRIMARY KEY);\n")
    for told in (review(folder, "--after", after), fix(folder, "--after", after)):
        assert (told.exit_code, "MIGRATION_VERSION_UNKNOWN" in told.output) == (2, True)
        assert "There are: 1, 3." in told.output


@pytest.mark.parametrize(("after", "judged"), [("0", 2), ("001", 1), ("1", 1), ("003_more", 0)])
def test_after_a_version_that_is_there_the_rest_is_judged(
    folder: Path, after: str, judged: int
) -> None:
    (folder / "003_more.sql").write_text("CREATE TABLE more (at timestamp);\n")
    found = json.loads(review(folder, "--after", after, "--json").output)["findings"]
    assert sum(each["rule"] == "prefer-timestamp-tz" for each in found) == judged


def test_what_git_says_is_told_in_its_words(folder: Path) -> None:
    told = review(folder, "--since", "nope")
    assert told.exit_code == 2
    assert "why: git says: fatal: not a git repository" in told.output
    assert "b'" not in told.output


@pytest.mark.parametrize("setting", ['disable = ["nope"]', 'severity = { nope = "info" }'])
def test_a_rule_that_does_not_exist_cannot_be_set(folder: Path, setting: str) -> None:
    (folder / "tradewright.toml").write_text(f"[review]\n{setting}\n")
    told = review(folder)
    assert (told.exit_code, "Unknown rule: nope." in told.output) == (2, True)


def fix(*arguments: object) -> Result:
    return CliRunner().invoke(command, ["--fix", *map(str, arguments)])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--update-baseline"], "--update-baseline needs --baseline FILE"),
        (["--json", "--format", "html"], "--json and --format html exclude each other"),
        (["--fix", "--format", "json"], "--format is for findings"),
        (["--fix", "--output", "x.txt"], "--output is for findings"),
        (["--fix", "--fail-on", "never"], "--fail-on is for findings"),
    ],
)
def test_an_option_that_would_be_left_aside_is_refused(
    folder: Path, words: list[str], why: str
) -> None:
    told = CliRunner().invoke(command, [str(folder), *words])
    assert (told.exit_code, why in told.output) == (2, True)
