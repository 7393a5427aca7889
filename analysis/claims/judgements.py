"""The judgements of the claims as text, as JSON, and as DataFrames."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from textwrap import wrap

import pandas as pd

from analysis.claims.argument import Judgement

INDENT = 5
TEXT_WIDTH = 90
MEANING_WIDTH = 58


def as_text(judgements: Sequence[Judgement]) -> str:
    """One paragraph per claim: statement, setting, verdict, decisive numbers, query."""
    return "\n\n".join("\n".join(_lines(judged)) for judged in judgements)


def _lines(judged: Judgement) -> list[str]:
    claim, verdict, indent = judged.claim, judged.verdict, " " * INDENT
    return [
        *wrap(f"{claim.id:<{INDENT}}{claim.statement}", TEXT_WIDTH, subsequent_indent=indent),
        *wrap(f"({claim.setting})", TEXT_WIDTH, initial_indent=indent, subsequent_indent=indent),
        f"{indent}{verdict.verdict.upper()}",
        *(f"{indent}{n.meaning:<{MEANING_WIDTH}} {n}" for n in verdict.numbers),
        f"{indent}{claim.query}",
    ]


def as_document(judgements: Sequence[Judgement]) -> str:
    """One JSON document: a list of claims; a number that does not exist is null."""
    rows = [
        {
            "claim": judged.claim.id,
            "statement": judged.claim.statement,
            "setting": judged.claim.setting,
            **asdict(judged.verdict),
            "query": judged.claim.query,
        }
        for judged in judgements
    ]
    return json.dumps(rows, indent=2, allow_nan=False)


def verdicts(judgements: Sequence[Judgement]) -> pd.DataFrame:
    """One row per claim: its `statement` and `verdict`, indexed by its id."""
    rows = {
        judged.claim.id: (judged.claim.statement, judged.verdict.verdict) for judged in judgements
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["statement", "verdict"])


def decisive_numbers(judgements: Sequence[Judgement]) -> pd.DataFrame:
    """One row per number, by claim id and verdict: what was `measured` and its `value`."""
    rows = [
        (judged.claim.id, judged.verdict.verdict, each.meaning, str(each))
        for judged in judgements
        for each in judged.verdict.numbers
    ]
    table = pd.DataFrame(rows, columns=["claim", "verdict", "measured", "value"])
    return table.set_index(["claim", "verdict"])
