@ SPDX-License-Identifier: MIT
@
@ The cycle model, rule by rule as in docs/emulator.md: exact cycles of each class of instruction.

    .include "tests/emulator/snippets.inc"

@ Data processing.
case "one cycle each: narrow arithmetic", cycles=10
    movs r3, #1
    adds r3, r3, #2
    subs r3, r3, r1
    ands r3, r2
    lsls r3, r3, #2
    cmp r3, r2
    mvns r3, r3
    sxtb r3, r3
    rev r3, r3
    mov r8, r3
    end
case "one cycle each: wide arithmetic", cycles=12, value=0xfffe
    movw r0, #0xffff
    movt r3, #0x1234
    add.w r3, r3, r2, lsl #3
    sbfx r3, r3, #3, #5
    bfi r3, r2, #4, #4
    rbit r3, r3
    clz r3, r3
    orn r3, r3, #0xff00ff00
    ubfx r3, r3, #1, #2
    tst.w r3, r2
    sub.w r0, r0, #1
    adr.w r3, .
    end
case "one cycle each: multiplication", cycles=8
    muls r3, r2, r3
    mla r3, r2, r1, r3
    mls r3, r2, r1, r3
    umull r3, r12, r2, r1
    smull r3, r12, r2, r1
    umlal r3, r12, r2, r1
    smlal r3, r12, r2, r1
    umaal r3, r12, r2, r1
    end
case "one cycle each: DSP", cycles=12
    uxtab r3, r2, r1
    uxtb16 r3, r2
    sadd8 r3, r2, r1
    sel r3, r2, r1
    usad8 r3, r2, r1
    smlabb r3, r2, r1, r3
    smlad r3, r2, r1, r3
    smmul r3, r2, r1
    pkhbt r3, r2, r1, lsl #16
    ssat r3, #8, r3
    qadd r3, r2, r1
    smlald r3, r12, r2, r1
    end

@ Division: 2 and 5 for every 16 bits of the quotient.
case "udiv by zero: 2", cycles=3, value=0
    movs r3, #0
    udiv r0, r1, r3
    end
case "udiv, quotient 0: 2", cycles=2, value=0
    udiv r0, r2, r1
    end
case "udiv, 8 bits of quotient: 5", cycles=5, value=142
    udiv r0, r1, r2
    end
case "udiv, 32 bits of quotient: 12", cycles=14, value=0xffffffff
    mvn r0, #0
    movs r3, #1
    udiv r0, r0, r3
    end
case "sdiv takes magnitudes: 5", cycles=6, value=-142
    rsb r0, r1, #0
    sdiv r0, r0, r2
    end

@ Loads and stores.
case "load 2", cycles=2
    ldr r3, [r0]
    end
case "loads in a row: 2 and 1 each", cycles=4
    ldr r3, [r0]
    ldrb r4, [r0, #5]
    ldrsh.w r12, [r0, #6]
    end
case "a load behind another instruction: 2 again", cycles=5
    ldr r3, [r0]
    nop
    ldr r4, [r0]
    end
case "store 1", cycles=3
    str r1, [r0]
    strb r1, [r0, r2]
    strh.w r1, [r0, #8]!
    end
case "a load behind a store is not pipelined", cycles=3
    str r1, [r0]
    ldr r3, [r0]
    end
case "a store behind a load", cycles=3
    ldr r3, [r0]
    str r3, [r0, #4]
    end
case "literal", cycles=2, value=0x12345678
    ldr r0, 1f
    bx lr
    .balign 4
1:  .word 0x12345678
case "an address from the load before waits 1", cycles=7
    add r3, r0, #8
    str r0, [r3]
    ldr r3, [r0, #8]
    ldr r3, [r3]
    end
case "an address from arithmetic waits 1", cycles=4
    adds r0, #4
    ldr r3, [r0]
    end
case "an index from arithmetic waits 1", cycles=3
    movs r3, #4
    str r1, [r0, r3]
    end
case "no wait with an instruction between", cycles=4
    adds r0, #4
    nop
    ldr r3, [r0]
    end
case "no wait for another register", cycles=3
    movs r3, #4
    ldr r3, [r0]
    end
case "ldrd strd 3", cycles=6
    ldrd r3, r4, [r0]
    strd r3, r4, [r0, #8]!
    end
case "dual waits for its address too", cycles=5
    adds r0, #8
    ldrd r3, r4, [r0]
    end
case "ldm stm 1+N", cycles=9
    ldm r0, {r3, r4, r5}
    stm r0!, {r3, r4}
    nop
    nop
    end
case "push pop 1+N", cycles=8
    push {r4, r5, lr}
    pop {r4, r5, lr}
    end
case "pop with pc 1+N+P", cycles=5 @ 3 + 5, no bx
    push {r4, lr}
    pop {r4, pc}
case "ldmdb 1+N", cycles=3
    ldmdb r9, {r3, r4}
    end
case "ldr pc 5", cycles=4 @ 1 + 1 + 5, no bx
    str lr, [r0]
    nop
    ldr pc, [r0]
case "exclusives are loads", cycles=4
    ldrex r3, [r0]
    nop
    clrex
    end
case "strex is pipelined behind a load", cycles=3
    ldrex r3, [r0]
    strex r4, r1, [r0]
    end

@ Unaligned accesses are split by the bus unit.
case "halfword at an odd address 1 more", cycles=3
    ldrh.w r3, [r0, #1]
    end
case "word at a halfword 1 more", cycles=3
    ldr.w r3, [r0, #2]
    end
case "word at an odd address 2 more", cycles=4
    ldr.w r3, [r0, #1]
    end
case "stores as well", cycles=3
    str.w r3, [r0, #3]
    end

@ Branches: P is 2.
case "branch 1+P", cycles=4
    b 1f
    nop
1:  nop
    end
case "conditional, not taken: 1", cycles=3
    cmp r2, #0
    beq 1f
    nop
1:  end
case "conditional, taken: 1+P", cycles=4
    cmp r2, #0
    bne 1f
    nop
1:  end
case "cbz not taken, cbnz taken", cycles=4
    cbz r2, 1f
    cbnz r2, 1f
    nop
1:  end
case "wide conditional", cycles=4
    cmp r2, #0
    bne.w 1f
    nop
1:  end
case "bl and return", cycles=9
    mov r12, lr
    bl 1f
    nop
    bx r12
    .balign 4
1:  nop
    bx lr
case "blx", cycles=10
    adr r3, 1f
    adds r3, #1
    mov r12, lr
    blx r3
    bx r12
    .balign 4
1:  nop
    mov pc, lr
case "add to pc 1+P", cycles=4
    movs r3, #0
    add pc, r3
    nop
    end
case "tbb 2+P", cycles=6
    movs r3, #1
    nop
    tbb [pc, r3]
1:  .byte (2f-1b)/2, (2f-1b)/2
2:  end
case "tbh waits for its index", cycles=6
    movs r3, #0
    tbh [pc, r3, lsl #1]
1:  .2byte (2f-1b)/2
2:  end
case "a target across words 1 more", cycles=5
    b 1f
    nop
    nop
1:  movw r3, #1
    end
case "a narrow target across words is free", cycles=4
    b 1f
    nop
    nop
1:  movs r3, #1
    end
case "loop", cycles=39
    movs r3, #10
1:  subs r3, #1
    bne 1b
    end

@ IT blocks: skipped instructions take a cycle each; the machine does not see them.
case "it 1, executed", cycles=3, value=1
    cmp r2, #7
    it eq
    moveq r0, #1
    end
case "it 1, skipped", cycles=3
    cmp r2, #0
    it eq
    moveq r0, #1
    end
case "skipped and executed", cycles=7, value=5
    movs r0, #1
    cmp r2, #7
    itete ne
    addne r0, #1
    addeq r0, #2
    addwne r0, r0, #1
    addeq r0, #2
    end
case "a skipped load takes one cycle and no memory", cycles=3
    cmp r2, #7
    it ne
    ldrne r3, [r2]
    end
case "a skipped branch ends the block", cycles=4
    cmp r2, #7
    it ne
    bne.n 1f
    nop
1:  end
case "a taken branch in a block", cycles=5
    cmp r2, #7
    it eq
    beq.n 1f
    nop
    nop
1:  end
case "skipped instructions break the pipelining of loads", cycles=8
    cmp r2, #7
    ldr r3, [r0]
    it ne
    movne r3, #0
    ldr r3, [r0]
    nop
    end

@ The rest.
case "mrs 2", cycles=2
    mrs r3, primask
    end
case "msr 2 and without effect", cycles=7, value=0
    movs r3, #1
    msr primask, r3
    cpsid i
    mrs r0, primask
    end
case "barriers 1+P", cycles=9
    dmb
    dsb
    isb
    end
case "hints 1", cycles=5
    nop
    yield
    wfe
    wfi
    sev
    end
case "pld 1", cycles=1
    pld [r0]
    end
