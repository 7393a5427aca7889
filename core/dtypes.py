"""The arithmetics that a training may be done in: name -> Dtype.

What they cost is fitted to measured trainings by tests/benchmarks/bench_cost_model.py, on one
core (AVX-512, OpenBLAS); a slower machine only gets longer batches.
"""

from dataclasses import KW_ONLY, dataclass


@dataclass(frozen=True)
class Dtype:
    """A floating-point type.

    Attributes:
        name: As NumPy calls it.
        gemm: What BLAS calls its matrix product.
        seconds_per_flop: Of the matrix products.
        seconds_per_element: Of a hidden unit, example and step of tanh.
    """

    name: str
    _: KW_ONLY
    gemm: str
    seconds_per_flop: float
    seconds_per_element: float


DTYPES = {
    dtype.name: dtype
    for dtype in (
        Dtype("float32", gemm="sgemm", seconds_per_flop=1 / 120e9, seconds_per_element=0.8e-9),
        Dtype("float64", gemm="dgemm", seconds_per_flop=1 / 65e9, seconds_per_element=2e-9),
    )
}
