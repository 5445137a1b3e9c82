"""quality_scale.yaml: every rule judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import Integration

PLACE = "quality_scale.yaml"


def rules() -> list[str]:
    """Return the names of all rules."""
    lines = Path(__file__).with_name("quality_scale.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and line[0] not in "#["]


def check_scale(integration: Integration) -> None:
    """Check that each rule is done, to do, or exempt with a reason."""
    judged = integration.yaml(integration.directory / PLACE).get("rules")
    if not isinstance(judged, dict):
        integration.error(PLACE, "has no rules")
        return
    for rule in judged.keys() - set(rules()):
        integration.error(PLACE, f"{rule} is no rule")
    for rule in rules():
        judgement = judged.get(rule)
        if isinstance(judgement, dict):
            if judgement.keys() - {"status", "comment"}:
                integration.error(PLACE, f"{rule}: has more than a status and a comment")
            status, comment = judgement.get("status"), judgement.get("comment")
        else:
            status, comment = judgement, None
        if status is None:
            integration.error(PLACE, f"{rule} is not judged")
        elif status not in ("done", "todo", "exempt"):
            integration.error(PLACE, f"{rule}: {status!r} is none of done, todo, exempt")
        elif status == "exempt" and not comment:
            integration.error(PLACE, f"{rule} is exempt without saying why")


def open_rules(integration: Integration) -> list[str]:
    """Return the rules that are still to do."""
    judged = integration.yaml(integration.directory / PLACE).get("rules") or {}
    return [
        rule
        for rule, judgement in judged.items()
        if (judgement.get("status") if isinstance(judgement, dict) else judgement) == "todo"
    ]
