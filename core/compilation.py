"""How core's functions are compiled, and where the compiled code is kept.

Numba compiles a function for the processor at hand when it is first called, and keeps the
result in a folder. Numba notices a change in a function's own file, but not in the files of the
functions that it calls. So the folder's name is a digest of all sources, the versions and the
processor.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from llvmlite.binding import get_host_cpu_name
from numba import cfunc, types
from numba.core.codegen import get_host_cpu_features

HERE = Path(__file__).parent
SOURCES = [
    *(Path(__file__), HERE / "hidden_layers.py"),
    *(*sorted(HERE.glob("descent/*.py")), *sorted(HERE.glob("functions/*.py"))),
]

# What the compiler may assume. Not `nnan` and `ninf`: a diverged training has NaN and infinity.
FAST = {"reassoc", "contract", "arcp", "nsz"}


def cache_folder() -> Path:
    """The first folder that can be written to: Numba's, the installation's, the user's, /tmp."""
    return next(folder for folder in _candidates() if _is_writable(folder)) / _digest()


def _candidates() -> Iterator[Path]:
    if os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(os.environ["NUMBA_CACHE_DIR"])
    yield HERE / "__pycache__"
    yield Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "phasesweep"
    yield Path(tempfile.gettempdir()) / f"phasesweep-{os.getuid()}"
    yield Path(tempfile.mkdtemp())


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _digest() -> str:
    digest = hashlib.blake2b(digest_size=8)
    for text in (numba.__version__, llvmlite.__version__, np.__version__, get_host_cpu_name()):
        digest.update(text.encode())
    for source in SOURCES:
        digest.update(source.read_bytes())
    return digest.hexdigest()


CACHE_FOLDER = cache_folder()
numba.config.CACHE_DIR = str(CACHE_FOLDER)  # type: ignore[attr-defined]  # made at import
if numba.config.CPU_FEATURES is None and "+avx512f" in get_host_cpu_features():  # type: ignore[attr-defined]
    # By default LLVM uses only half of each register on Intel's processors: 1.4 times as slow.
    features = f"{get_host_cpu_features()},-prefer-256-bit"
    numba.config.CPU_FEATURES = features  # type: ignore[attr-defined]

compiled = numba.njit(cache=True, fastmath=FAST, error_model="numpy")

# For formulas. Not even contraction of a product and a sum: range reductions and remainders
# depend on each rounding. Where one rounding is wanted, core.functions.intrinsics has multiply_add.
# Set explicitly: otherwise a formula takes the flags of the first loop that it is inlined into.
inlined = numba.njit(cache=True, fastmath=False, error_model="numpy", forceinline=True)


def compiled_pass(dtype: np.dtype[Any], matrices: int) -> Callable[[Callable[..., Any]], Any]:
    """A decorator for a function of the addresses of several arrays, rows and columns.

    It returns a float64. It is compiled right away, separately from the code that calls it by its
    `address`.
    """
    number = types.float32 if dtype == np.float32 else types.float64
    arguments = [types.CPointer(number)] * matrices + [types.intp] * 2
    signature = types.float64(*arguments)
    return cfunc(signature, cache=True, fastmath=FAST, error_model="numpy")
