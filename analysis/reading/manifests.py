"""The entries of a store's manifest that analysis reads, checked: people edit the file."""

import json
import reprlib
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Thresholds = dict[str, Annotated[float, Field(allow_inf_nan=False)]]


class ManifestError(ValueError):
    """A manifest is damaged; the message says where."""


class _Trace(BaseModel):
    model_config = ConfigDict(strict=True)

    axes: Annotated[list[str], Field(min_length=1)]
    of: str


class _Audit(BaseModel):
    model_config = ConfigDict(strict=True)

    panel: dict[str, Any]
    audited: int
    wrong: int
    bound: float
    complete: bool = True


class _Sweep(BaseModel):
    model_config = ConfigDict(strict=True)

    name: str | None = None
    axes: dict[str, list[Any]] = {}
    trace: _Trace | None = None
    audits: list[_Audit] = []


class _Manifest(BaseModel):
    model_config = ConfigDict(strict=True)

    sweeps: list[_Sweep] = []
    thresholds: Thresholds = {}
    judged_by: dict[str, Thresholds] = {}


def parsed_manifest(content: bytes) -> dict[str, Any]:
    """All entries of a manifest, as they stand there.

    Raises:
        ManifestError: It is no JSON, or an entry cannot be what a store wrote.
    """
    try:
        manifest = json.loads(content)
        _Manifest.model_validate(manifest)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = "".join(
            f"[{each}]" if isinstance(each, int) else f".{each}" for each in problem["loc"]
        )
        said = problem["msg"].replace("Input should", "must")
        given = reprlib.repr(problem["input"])
        raise ManifestError(f"{place.removeprefix('.') or 'all'} {said}, got {given}") from error
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"it is no JSON: {error}") from error
    return dict(manifest)
