"""What `run` and `status` say of a traced sweep: what was trained, and what its audit found."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def audit_in_words(trained: int, cells: int, audits: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """How much of a map was trained, and how many of the other labels may be wrong.

    Args:
        trained: How many trials.
        cells: How many the dense map has.
        audits: As the manifest has them, one for each panel.
    """
    if not all(audit["complete"] for audit in audits):
        return
    yield f"traced: {trained:,} of {cells:,} trials trained ({trained / cells:.1%})"
    audited, wrong = (sum(audit[name] for audit in audits) for name in ("audited", "wrong"))
    bound = max(audit["bound"] for audit in audits)
    where = "" if len(audits) == 1 else " in any panel"
    yield (
        f"audit: {wrong:,} of {audited:,} random labels were not as inferred, and were corrected; "
        f"at most {bound:.2%}{where} of the inferred ones are wrong (95%)"
    )
