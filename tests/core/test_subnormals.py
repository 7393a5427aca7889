"""Subnormal numbers: zero inside the context, themselves outside, whatever happens."""

import platform
import sys

import numpy as np
import pytest

from core.functions.subnormals import flushed_subnormals

supported = pytest.mark.skipif(
    sys.platform != "linux"
    or platform.machine() not in ("x86_64", "aarch64")
    or platform.libc_ver()[0] != "glibc",
    reason="only there the control word is known; elsewhere only the speed differs",
)


def subnormals_survive():
    """Whether a product that is subnormal, and a subnormal factor, are more than 0."""
    result = np.full(64, 1e-300) * np.full(64, 1e-10)
    operand = np.full(64, 5e-310) * np.full(64, 1e10)
    single = np.full(64, 1e-30, np.float32) * np.full(64, 1e-10, np.float32)
    survives = {bool((numbers > 0).all()) for numbers in (result, operand, single)}
    assert len(survives) == 1
    return survives.pop()


@supported
def test_subnormals_are_zero_inside_and_themselves_outside():
    """Results and operands, in both precisions; before and after nothing is flushed."""
    assert subnormals_survive()
    with flushed_subnormals():
        assert not subnormals_survive()
    assert subnormals_survive()


@supported
def test_an_exception_leaves_the_context_too():
    """What goes wrong inside must not change the arithmetic of what comes after."""
    with pytest.raises(ZeroDivisionError), flushed_subnormals():
        1 / 0  # noqa: B018 -- the exception is what is wanted
    assert subnormals_survive()


@supported
def test_contexts_nest():
    """The inner one's end restores what the outer one wants."""
    with flushed_subnormals():
        with flushed_subnormals():
            assert not subnormals_survive()
        assert not subnormals_survive()
    assert subnormals_survive()


def test_normal_numbers_keep_every_bit(rng):
    """Only what lies below the smallest normal number is touched."""
    numbers = rng.standard_normal(1000)
    outside = np.exp(numbers) @ numbers
    with flushed_subnormals():
        assert np.exp(numbers) @ numbers == outside
        assert np.finfo(float).tiny * 1.0 == np.finfo(float).tiny


@pytest.mark.parametrize(
    ("function", "answer"), [("machine", "riscv64"), ("libc_ver", ("musl", "1.2"))]
)
def test_an_unknown_platform_is_left_alone(function, answer, monkeypatch):
    """There the context does nothing; the numbers are right, only slower."""
    monkeypatch.setattr(platform, function, lambda: answer)
    with flushed_subnormals():
        assert subnormals_survive()
