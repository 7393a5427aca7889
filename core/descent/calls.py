"""Calls of machine code by its address: BLAS, and the separately compiled passes.

Addresses are passed as arguments: with an address as a global constant, Numba could not keep the
compiled code for the next process.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

BYTE = ir.IntType(8).as_pointer()
FLAG = ir.IntType(8)
INTEGER = ir.IntType(32)  # of scipy.linalg.cython_blas


@intrinsic
def call_gemm(typing, gemm, orders, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):
    """C = alpha op(A) op(B) + beta C, all column-major, by BLAS' sgemm or dgemm.

    Args:
        gemm: Its address.
        orders: 'N' or 'T' of A, plus 256 times that of B.
        m, n, k: Rows and columns of C, and the length that is summed over.
        alpha, beta: float32 or float64, as the matrices.
        a, b, c: Addresses of the matrices.
        lda, ldb, ldc: Their leading dimensions.
    """
    arguments = (gemm, orders, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
    whole = types.intp
    signature = types.void(*(x if isinstance(x, types.Float) else whole for x in arguments))

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        gemm, orders, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc = arguments

        def kept(value: Any) -> Any:
            return builder.bitcast(cgutils.alloca_once_value(builder, value), BYTE)

        def size(value: Any) -> Any:
            return kept(builder.trunc(value, INTEGER))

        def matrix(value: Any) -> Any:
            return builder.inttoptr(value, BYTE)

        order_b = builder.lshr(orders, ir.Constant(orders.type, 8))
        order_a, order_b = (kept(builder.trunc(o, FLAG)) for o in (orders, order_b))
        left = (kept(alpha), matrix(a), size(lda))
        right = (matrix(b), size(ldb))
        result = (kept(beta), matrix(c), size(ldc))
        kind = ir.FunctionType(ir.VoidType(), [BYTE] * 13).as_pointer()
        builder.call(
            builder.inttoptr(gemm, kind),
            [order_a, order_b, size(m), size(n), size(k), *left, *right, *result],
        )
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def whole_at(typing, address, place):
    """The int64 at a place of an array, by the array's address."""
    signature = types.int64(types.intp, types.intp)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address, place = arguments
        array = builder.inttoptr(address, ir.IntType(64).as_pointer())
        return builder.load(builder.gep(array, [place]))

    return signature, codegen


@intrinsic
def call_pass(typing, function, *arguments):
    """Call a compiled pass; its arguments are addresses and sizes, and it returns a float64."""
    packed = isinstance(arguments[0], types.BaseTuple)  # so Numba gives them on a second look
    count = len(arguments[0] if packed else arguments)
    signature = types.float64(types.intp, types.StarArgTuple([types.intp] * count))

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        function, packed = values
        given = [builder.extract_value(packed, n) for n in range(count)]
        kind = ir.FunctionType(ir.DoubleType(), [given[0].type] * count)
        return builder.call(builder.inttoptr(function, kind.as_pointer()), given)

    return signature, codegen
