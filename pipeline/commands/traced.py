"""What `run` and `status` say of a traced sweep: what was trained, and what its audit found."""

from collections.abc import Mapping, Sequence
from typing import Any


def trained_in_words(trained: int, cells: int) -> str:
    """How much of a map was trained: `traced with 2,732 of 8,450 trials (32.3%)`.

    Args:
        trained: How many trials.
        cells: How many the dense map has.
    """
    return f"traced with {trained:,} of {cells:,} trials ({trained / cells:.1%})"


def audit_in_words(audits: Sequence[Mapping[str, Any]], untrained: int) -> str:
    """How many labels were wrong, and how many of those never trained may be, in a line.

    Args:
        audits: As the manifest has them, one for each panel.
        untrained: How many trials of the dense map have no row.
    """
    if not untrained:
        return "all trials of the map are trained: no label is inferred"
    audited, wrong = (sum(audit[name] for audit in audits) for name in ("audited", "wrong"))
    bound = max(audit["bound"] for audit in audits)
    worst = "" if len(audits) == 1 else ", worst panel"
    return (
        f"audit: {wrong:,} of {audited:,} random labels wrong; of the untrained at most "
        f"{bound:.2%} (95%{worst})"
    )
