"""Subnormal numbers flushed to zero while networks train.

Vanishing gradients fall below the smallest normal float, where each arithmetic
operation costs the processor a hundred times more. They are zero to every update they
could make, so the floating-point unit is set to treat them as zero. C's fegetenv and
fesetenv hold its control word; on other platforms nothing changes but the speed.
"""

import ctypes
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Where fenv_t keeps the control word, and the bits that flush results (and operands).
_CONTROL_WORDS = {
    "x86_64": (28, 0x8040),  # MXCSR: FTZ | DAZ
    "aarch64": (0, 1 << 24),  # FPCR: FZ
}


@contextmanager
def flushed_subnormals() -> Iterator[None]:
    """Flush subnormals to zero in this thread, where the platform is known to allow it."""
    word = _CONTROL_WORDS.get(platform.machine())
    if word is None or sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        yield
        return
    offset, bits = word
    libm = ctypes.CDLL("libm.so.6")
    before = ctypes.create_string_buffer(64)
    libm.fegetenv(before)
    flushing = ctypes.create_string_buffer(before.raw, 64)
    control = ctypes.c_uint32.from_buffer(flushing, offset)
    control.value |= bits
    libm.fesetenv(flushing)
    try:
        yield
    finally:
        libm.fesetenv(before)
