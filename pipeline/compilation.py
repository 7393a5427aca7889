"""The trainer compiled before a sweep begins, so that workers find it ready."""

import sys
from itertools import product

from pipeline.grid import Grid


def compile_trainer(grid: Grid) -> None:
    """Compile what the grid's trials need and nobody has compiled here yet; says so on stderr.

    Where a worker cannot see what is kept on this machine, it compiles for itself.
    """
    # Numba takes half a second to import, and most commands train nothing.
    from core.descent.kinds import compile_kind, is_compiled

    axes = (grid.axes[name] for name in ("activation", "loss", "dtype"))
    missing = [kind for kind in product(*axes) if not is_compiled(*map(str, kind))]
    if missing:
        names = ", ".join(dict.fromkeys(str(activation) for activation, _, _ in missing))
        print(f"compiling the trainer for {names}, once: some seconds", file=sys.stderr, flush=True)
    for kind in missing:
        compile_kind(*map(str, kind))
