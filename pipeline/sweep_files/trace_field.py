"""The field `trace:`: the axes of the map whose boundary is traced, and the label it divides."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from pipeline.tracing.traces import Trace

FORM = "must be a mapping of axes, and of what to trace"


def _trace(written: Any) -> dict[str, Any]:
    if not isinstance(written, dict) or "axes" not in written:
        raise ValueError(FORM)
    if unknown := [key for key in written if key not in ("axes", "of")]:
        raise ValueError(f"{FORM}; it has no {unknown[0]!r}")
    axes = [written["axes"]] if isinstance(written["axes"], str) else written["axes"]
    texts = [*axes, written.get("of", "")] if isinstance(axes, list) else [None]
    if not all(isinstance(each, str) for each in texts):
        raise ValueError("must name axes in a list, and one label")
    return {**written, "axes": tuple(axes)}


TraceField = Annotated[Trace | None, BeforeValidator(_trace)]
