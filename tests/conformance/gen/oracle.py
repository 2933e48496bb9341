# SPDX-License-Identifier: MIT
"""What eBPF instructions compute, on Python's integers, from the text of RFC 9669.

Deliberately independent of runtime/include/bpf/insn.def: the interpreter, the constant folder and the
compiler are generated from that table, so that an error in it would hide from tests that used it too.
"""

M64 = (1 << 64) - 1


def mask(width):
    return (1 << width) - 1


def signed(value, width):
    value &= mask(width)
    return value - (1 << width) if value >> (width - 1) else value


def imm(value, width=64):
    """A 32-bit immediate as the instruction sees it: sign-extended (RFC 9669 section 4)."""
    return signed(value, 32) & mask(width)


def quotient(a, b):
    """Division that truncates toward zero."""
    q = abs(a) // abs(b)
    return -q if (a < 0) != (b < 0) else q


def alu(op, width, a, b):
    """dst = dst op src; the 32-bit forms zero the upper half of dst (section 4.1)."""
    a &= mask(width)
    b &= mask(width)
    sa, sb = signed(a, width), signed(b, width)
    count = b % width
    if op == "add":
        r = a + b
    elif op == "sub":
        r = a - b
    elif op == "mul":
        r = a * b
    elif op == "div":
        r = a // b if b else 0
    elif op == "sdiv":
        r = quotient(sa, sb) if b else 0
    elif op == "mod":
        r = a % b if b else a
    elif op == "smod":
        r = sa - sb * quotient(sa, sb) if b else a
    elif op == "or":
        r = a | b
    elif op == "and":
        r = a & b
    elif op == "xor":
        r = a ^ b
    elif op == "lsh":
        r = a << count
    elif op == "rsh":
        r = a >> count
    elif op == "arsh":
        r = sa >> count
    elif op == "mov":
        r = b
    elif op == "neg":
        r = -a
    else:
        raise ValueError(op)
    return r & mask(width)


ALU_OPS = [
    "add",
    "sub",
    "mul",
    "div",
    "sdiv",
    "mod",
    "smod",
    "or",
    "and",
    "xor",
    "lsh",
    "rsh",
    "arsh",
    "mov",
]


def movsx(bits, width, b):
    return signed(b, bits) & mask(width)


def byteswap(op, width, a):
    """le16..le64, be16..be64, bswap16..64 on a little-endian machine (section 4.2)."""
    a &= mask(width)
    if op == "le":
        return a
    return int.from_bytes(a.to_bytes(width // 8, "little"), "big")


JUMP_OPS = ["jeq", "jgt", "jge", "jset", "jne", "jsgt", "jsge", "jlt", "jle", "jslt", "jsle"]


def jump(op, width, a, b):
    """Whether the conditional jump is taken (section 4.3)."""
    a &= mask(width)
    b &= mask(width)
    sa, sb = signed(a, width), signed(b, width)
    return {
        "jeq": a == b,
        "jne": a != b,
        "jset": (a & b) != 0,
        "jgt": a > b,
        "jge": a >= b,
        "jlt": a < b,
        "jle": a <= b,
        "jsgt": sa > sb,
        "jsge": sa >= sb,
        "jslt": sa < sb,
        "jsle": sa <= sb,
    }[op]


ATOMIC_OPS = [
    "add",
    "or",
    "and",
    "xor",
    "fetch add",
    "fetch or",
    "fetch and",
    "fetch xor",
    "xchg",
    "cmpxchg",
]


def atomic(op, width, old, src, r0):
    """(new memory, new src register, new r0) of an atomic operation (section 5.3); old is the value in
    memory, of the width; src and r0 are whole registers."""
    s = src & mask(width)
    base = op.removeprefix("fetch ")
    if op == "cmpxchg":
        new = s if old == r0 & mask(width) else old
        return new, src, old
    new = (
        s if op == "xchg" else {"add": old + s, "or": old | s, "and": old & s, "xor": old ^ s}[base]
    )
    fetches = op == "xchg" or op.startswith("fetch")
    return new & mask(width), old if fetches else src, r0
