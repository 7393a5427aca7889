"""Operations on one number that Numba does not have."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def by_precision(typingctx, x, short, long):
    """`short` where x is float32 and `long` where it is float64, in x's type."""

    def codegen(context, builder, signature, args):
        chosen = 1 if signature.args[0] == types.float32 else 2
        return context.cast(builder, args[chosen], signature.args[chosen], x)

    return x(x, short, long), codegen


@intrinsic
def polynomial(typingctx, x, short, long):
    """A polynomial by Horner's rule, coefficients from the constant up.

    Args:
        x: float32 or float64.
        short: Coefficients for float32, a tuple.
        long: Coefficients for float64, a tuple.
    """

    def codegen(context, builder, signature, args):
        chosen = 1 if signature.args[0] == types.float32 else 2
        kind = signature.args[chosen]
        terms = [
            context.cast(builder, builder.extract_value(args[chosen], n), kind[n], x)
            for n in range(len(kind))
        ]
        value = terms.pop()
        for term in reversed(terms):
            value = builder.call(_fmuladd(builder, args[0].type), [value, args[0], term])
        return value

    return x(x, short, long), codegen


def _fmuladd(builder: ir.IRBuilder, kind: ir.Type) -> ir.Function:
    return builder.module.declare_intrinsic(
        "llvm.fmuladd", [kind], ir.FunctionType(kind, [kind] * 3)
    )


@intrinsic
def power_of_two(typingctx, shifted):
    """2^k, given k + 1.5 * 2^23 (2^52), whose lowest bits are k; -126 (-1022) <= k <= 127."""

    def codegen(context, builder, signature, args):
        kind = args[0].type
        width, fraction, one = (
            (32, 23, 127 << 23) if signature.args[0] == types.float32 else (64, 52, 1023 << 52)
        )
        whole = ir.IntType(width)
        bits = builder.bitcast(args[0], whole)
        exponent = builder.shl(bits, ir.Constant(whole, fraction))
        return builder.bitcast(builder.add(exponent, ir.Constant(whole, one)), kind)

    return shifted(shifted), codegen


@intrinsic
def upper_half(typingctx, x):
    """x with the lower half of its fraction cut off, so that its square is exact."""

    def codegen(context, builder, signature, args):
        kind = args[0].type
        width, cut = (32, 12) if signature.args[0] == types.float32 else (64, 27)
        whole = ir.IntType(width)
        mask = ir.Constant(whole, (1 << width) - (1 << cut))
        return builder.bitcast(builder.and_(builder.bitcast(args[0], whole), mask), kind)

    return x(x), codegen


@intrinsic
def with_sign(typingctx, size, x):
    """`size` with the sign of x, that of zero included."""

    def codegen(context, builder, signature, args):
        kind = args[0].type
        copysign = builder.module.declare_intrinsic(
            "llvm.copysign", [kind], ir.FunctionType(kind, [kind] * 2)
        )
        return builder.call(copysign, args)

    return size(size, x), codegen


@intrinsic
def multiply_add(typingctx, x, y, z):
    """x y + z, rounded once where the processor can; else the product is rounded first."""

    def codegen(context, builder, signature, args):
        return builder.call(_fmuladd(builder, args[0].type), args)

    return x(x, x, x), codegen
