"""Finding the rules: every module of `rules` that holds a RULE."""

import importlib
import pkgutil
from functools import cache

from tradewright.core.errors import ErrorCode, InputError
from tradewright.review import rules
from tradewright.review.model import Category
from tradewright.review.rule import Rule

SHADOW_RULES = frozenset(
    {
        "does-not-apply",
        "down-fails",
        "down-not-inverse",
        "not-proven",
        "orphan-accepted",
        "rewrites-table",
        "second-run-changes",
        "second-run-fails",
        "stand-in-extension",
        "stand-in-role",
        "takes-access-exclusive",
        "trigger-fails",
    }
)
"""The rules that judge what a shadow database showed; reading alone does without their modules."""


@cache
def all_rules() -> dict[str, Rule]:
    """Return every rule by its id, in alphabetical order."""
    return _imported(_ids())


@cache
def read_rules() -> dict[str, Rule]:
    """Return the rules of the read stage by their ids, in alphabetical order."""
    return _imported([rule_id for rule_id in _ids() if rule_id not in SHADOW_RULES])


def _ids() -> list[str]:
    names = (module.name for module in pkgutil.iter_modules(rules.__path__))
    return sorted(name.replace("_", "-") for name in names)


def _imported(ids: list[str]) -> dict[str, Rule]:
    modules = (f"{rules.__name__}.{rule_id.replace('-', '_')}" for rule_id in ids)
    found: list[Rule] = [importlib.import_module(module).RULE for module in modules]
    return {rule.id: rule for rule in found}


def rule_named(rule_id: str) -> Rule:
    """Return one rule.

    Raises:
        InputError: INPUT_REVIEW_RULE_UNKNOWN.

    """
    rule = all_rules().get(rule_id)
    if rule is None:
        raise InputError(
            ErrorCode.INPUT_REVIEW_RULE_UNKNOWN,
            f'review rule "{rule_id}" does not exist',
            hint="List the rules with: tradewright review --rules",
            facts={"rule": rule_id},
        )
    return rule


def title_of(rule: Rule) -> str:
    """Return the first line of a rule's page."""
    return _docstring(rule).partition("\n")[0]


def page_of(rule: Rule) -> str:
    """Return a rule's documentation page in Markdown, made from its module's docstring."""
    title, _, rest = _docstring(rule).partition("\n")
    lines = [f"# {rule.id}", "", title, ""]
    fixed = " · corrected by `--fix` where that is safe" if rule.fixable else ""
    facts = f"*{rule.severity.capitalize()} · {rule.category} · needs: {rule.needs}{fixed}*"
    lines += [facts, "", ""]
    return "\n".join(lines) + _fenced(rest.strip()) + "\n"


def _docstring(rule: Rule) -> str:
    module = importlib.import_module(f"{rules.__name__}.{rule.id.replace('-', '_')}")
    return (module.__doc__ or "").strip()


def _fenced(text: str) -> str:
    """Turn indented blocks behind `Instead of::` and `Use::` into fenced SQL."""
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        if inside and line and not line.startswith("    "):
            while lines and not lines[-1]:
                lines.pop()
            lines += ["```", ""]
            inside = False
        if line.endswith("::"):
            lines += [f"**{line[:-2]}**", "", "```sql"]
            inside = True
        elif not (inside and not line and lines[-1] == "```sql"):
            lines.append(line[4:] if inside else line)
    return "\n".join([*lines, "```"] if inside else lines)


def index_page() -> str:
    """Return the list of all rules in Markdown, by category and severity."""
    lines = ["# Rules of the review", ""]
    rules = sorted(all_rules().values(), key=lambda rule: (rule.severity.rank, rule.id))
    for category in Category:
        lines += [f"## {category}", "", "| Rule | Severity | Finds |", "|---|---|---|"]
        lines += [
            f"| [{rule.id}]({rule.id}.md) | {rule.severity} | {title_of(rule)} |"
            for rule in rules
            if rule.category is category
        ]
        lines.append("")
    return "\n".join(lines)
