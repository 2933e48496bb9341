# SPDX-License-Identifier: MIT
"""Short instruction sequences as data: one function writes them as text, another computes them.

    ("add", 64, dst, src)         an ALU operation; src is a register "r4" or an integer immediate
    ("neg", 64, dst)
    ("movsx8", 64, dst, "r4")
    ("be", 32, dst)
    ("lddw", dst, value)
    ("jgt", 64, dst, src, n)      skips the next n entries of the sequence when taken
    ("ldx", 32, dst, off)         from the stack at r10 + off, "ldxs" sign-extends
    ("stx", 32, off, src)         to the stack; an integer src is a store of an immediate
"""
import oracle
from oracle import M64

SIZE = {8: "b", 16: "h", 32: "w", 64: "dw"}


def reg(operand):
    return f"%{operand}" if isinstance(operand, str) else str(operand)


def text(v, sequence):
    labels = {}  # entry index -> label
    for i, entry in enumerate(sequence):
        op = entry[0]
        for label in labels.pop(i, []):
            v.asm(label + ":")
        if op == "lddw":
            v.asm(f"lddw %{entry[1]}, {entry[2]:#x}")
        elif op in oracle.JUMP_OPS:
            skip = v.label("skip")
            labels.setdefault(i + 1 + entry[4], []).append(skip)
            v.asm(f"{op}{'32' if entry[1] == 32 else ''} %{entry[2]}, {reg(entry[3])}, {skip}")
        elif op in ("ldx", "ldxs"):
            v.asm(f"{op}{SIZE[entry[1]]} %{entry[2]}, [%r10{entry[3]:+d}]")
        elif op == "stx":
            v.asm(
                f"{'stx' if isinstance(entry[3], str) else 'st'}{SIZE[entry[1]]} [%r10{entry[2]:+d}], {reg(entry[3])}"
            )
        elif op in ("le", "be", "bswap"):
            v.asm(f"{op}{entry[1]} %{entry[2]}")
        elif op.startswith("movsx"):
            v.asm(f"{op}{entry[1]} %{entry[2]}, {reg(entry[3])}")
        else:
            operands = ", ".join([f"%{entry[2]}"] + [reg(e) for e in entry[3:]])
            v.asm(f"{op}{'32' if entry[1] == 32 else ''} {operands}")
    for names in labels.values():
        v.asm(*[n + ":" for n in names])


def run(sequence, regs, stack=None):
    """Changes regs (a dict from "r3" to value) and stack (a bytearray of which the end is r10)."""

    def value(operand):
        return regs[operand] if isinstance(operand, str) else oracle.imm(operand)

    i = 0
    while i < len(sequence):
        entry = sequence[i]
        op = entry[0]
        i += 1
        if op == "lddw":
            regs[entry[1]] = entry[2] & M64
        elif op in oracle.JUMP_OPS:
            if oracle.jump(op, entry[1], regs[entry[2]], value(entry[3])):
                i += entry[4]
        elif op in ("ldx", "ldxs"):
            at, size = len(stack) + entry[3], entry[1] // 8
            loaded = int.from_bytes(stack[at : at + size], "little")
            regs[entry[2]] = loaded if op == "ldx" else oracle.signed(loaded, entry[1]) & M64
        elif op == "stx":
            at, size = len(stack) + entry[2], entry[1] // 8
            stack[at : at + size] = (value(entry[3]) & oracle.mask(entry[1])).to_bytes(
                size, "little"
            )
        elif op in ("le", "be", "bswap"):
            regs[entry[2]] = oracle.byteswap(op, entry[1], regs[entry[2]])
        elif op.startswith("movsx"):
            regs[entry[2]] = oracle.movsx(int(op[5:]), entry[1], value(entry[3]))
        else:
            regs[entry[2]] = oracle.alu(
                op, entry[1], regs[entry[2]], value(entry[3]) if len(entry) > 3 else 0
            )
    return regs
