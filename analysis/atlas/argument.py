"""The atlas' section on the argument: each claim with its verdict, where a store holds them."""

from html import escape
from pathlib import Path
from typing import Any

from analysis.claims.argument import CLAIMS, Judgement, judge

# What the names of the claims' sweeps begin with.
CLAIM_SWEEPS = "claims-"


def argument(store: str | Path, manifest: dict[str, Any]) -> str:
    """The section as HTML; "" for a store without any run of a claim sweep.

    Raises:
        UnsuitableRunsError: Some of the claims' rows are missing.
    """
    names = [str(sweep.get("name")) for sweep in manifest.get("sweeps", ())]
    if not any(name.startswith(CLAIM_SWEEPS) for name in names):
        return ""
    rows = "".join(map(_row, judge(store)))
    return (
        '<section id="argument" aria-labelledby="argument-heading">'
        '<h2 id="argument-heading">The argument, settled</h2>'
        f"<p>{len(CLAIMS)} common claims on deep networks that do not train. Each verdict follows "
        "from a rule on the rows of this store.</p>"
        "<table><thead><tr><th scope='col'>claim</th><th scope='col'>verdict</th>"
        f"<th scope='col'>decisive numbers</th></tr></thead><tbody>{rows}</tbody></table></section>"
    )


def _row(judged: Judgement) -> str:
    claim, verdict = judged.claim, judged.verdict
    numbers = "<br>".join(escape(f"{each.meaning}: {each}") for each in verdict.numbers)
    return (
        f"<tr><th scope='row'>{escape(claim.id)} {escape(claim.statement)}"
        f"<br><small>{escape(claim.setting)}</small></th>"
        f"<td><strong>{escape(verdict.verdict)}</strong></td><td>{numbers}</td></tr>"
    )
