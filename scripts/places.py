# SPDX-License-Identifier: MIT
"""Places in a firmware, and what `bpf2thumb board --masked` says about them."""
import bisect
import re
import subprocess

MASKED = re.compile(r"^masked: (\d+) cycles, from (\w+) to (\w+), called from (\w+)", re.M)


def masked_sections(text):
    """(cycles, first, last, caller) of each section in what the virtual board has printed."""
    return [(int(found[0]), *(int(word, 16) for word in found[1:])) for found in MASKED.findall(text)]


class Places:
    """Whose an address is, by the firmware's symbols."""

    def __init__(self, firmware):
        self.firmware = firmware
        text = subprocess.run(["arm-none-eabi-nm", firmware], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.table = sorted((int(a, 16) & ~1, n) for a, kind, n in (line.split() for line in text.splitlines())
                            if kind in "tT" and not n.startswith("$"))

    def function(self, pc):
        at = bisect.bisect_right(self.table, (pc, "\xff")) - 1
        return self.table[at][1] if at >= 0 else "?"

    def is_test(self, pc):
        return "rtos/selftest/" in subprocess.run(["arm-none-eabi-addr2line", "-e", self.firmware, f"{pc:x}"],
                                                  stdout=subprocess.PIPE, text=True, check=True).stdout

    def holder(self, section):
        """Whose section it is: kernel_lock() masks for who calls it."""
        _, first, _, caller = section
        return caller if self.function(first) == "kernel_lock" else first

    def longest(self, sections):
        """The longest one that no test made on purpose; None: there is none."""
        return next((s for s in sorted(sections, reverse=True) if not self.is_test(self.holder(s))), None)

    def words(self, section):
        if section is None:
            return "none"
        cycles, first, last, caller = section
        return (f"{cycles} cycles, from {first:08x} ({self.function(first)}) to {last:08x} ({self.function(last)})"
                + (f", called from {caller:08x} ({self.function(caller)})" if self.holder(section) == caller else ""))
