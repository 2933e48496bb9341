# SPDX-License-Identifier: MIT
"""Operands where arithmetic goes wrong: both ends of both widths, and the carries between them."""

BOUNDARY = [
    0,
    1,
    2,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    0x100000000,
    0x100000001,
    0x7FFFFFFFFFFFFFFF,
    0x8000000000000000,
    0xFFFFFFFF00000000,
    0xFFFFFFFFFFFFFFFF,
    0x123456789ABCDEF0,
    0xFEDCBA9876543210,
]
# Divisors: zero in each half, one and minus one, powers of two, small primes, larger than 32 bits
DIVISORS = [
    0,
    1,
    0xFFFFFFFFFFFFFFFF,
    0xFFFFFFFF,
    0x100000000,
    2,
    0xFFFFFFFFFFFFFFF9,
    10,
    0x80000000,
    0x8000000000000000,
    0x123456789,
    0x100000001,
    0x7FFFFFFF,
    0xA5A5A5A500000003,
]
# Shift counts: what is masked, and the word boundary of a 32-bit machine
COUNTS = [0, 1, 8, 16, 31, 32, 33, 47, 63, 64, 65, 95, 0xFFFFFFFFFFFFFFFF, 0x100000005]

IMMEDIATES = [
    0,
    1,
    -1,
    2,
    255,
    256,
    -256,
    0xFFF,
    0x1000,
    0x00FF00FF,
    0x7FFFFFFF,
    -0x80000000,
    0x12345678,
    -0x12345678,
]
DIVISOR_IMMEDIATES = [
    1,
    -1,
    2,
    3,
    5,
    7,
    10,
    60,
    100,
    641,
    1000,
    1000000,
    0x10000,
    0x7FFFFFFF,
    -0x80000000,
    -2,
    -3,
    -10,
    -1000,
    0x40000000,
]


def operands(op):
    """(first operands, second operands) for an ALU operation."""
    if op in ("div", "sdiv", "mod", "smod"):
        return BOUNDARY, DIVISORS
    if op in ("lsh", "rsh", "arsh"):
        return BOUNDARY, COUNTS
    return BOUNDARY, BOUNDARY


def immediates(op, width):
    if op in ("div", "sdiv", "mod", "smod"):
        return DIVISOR_IMMEDIATES
    if op in ("lsh", "rsh", "arsh"):
        counts = [0, 1, 2, 7, 8, 15, 16, 24, 30, 31]
        return counts if width == 32 else counts + [32, 33, 40, 47, 48, 62, 63]
    return IMMEDIATES


def mixed(rng):
    """A random 64-bit value that is not random all over: boundary values and small ones are common."""
    kind = rng.randrange(5)
    if kind == 0:
        return rng.choice(BOUNDARY)
    if kind == 1:
        return rng.randrange(256)
    if kind == 2:
        return rng.getrandbits(32)
    return rng.getrandbits(64)
