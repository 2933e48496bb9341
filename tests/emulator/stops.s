@ SPDX-License-Identifier: MIT
@
@ What the board would stop: each attack ends with its status, at its instruction.

    .include "tests/emulator/snippets.inc"

@ Inside is fine.
case "first and last byte of the arena", value=0
    ldr r3, =ARENA
    strb r2, [r3]
    ldr r3, =ARENA + ARENA_SIZE - 4
    str r2, [r3]
    ldrb r0, [r3, #3]
    end
case "reading the program and the library"
    adr r3, .
    ldr r3, [r3]
    ldr r3, =LIBRARY
    ldr r3, [r3]
    end
case "unaligned single accesses are allowed", value=0x07000000
    str.w r2, [r0, #1]
    ldr.w r0, [r0, #-2]
    end
    .ltorg

@ Reads.
case "read null", status=READ, at=9f, address=0
    movs r3, #0
9:  ldr r3, [r3]
    end
case "read a peripheral", status=READ, at=9f, address=0x40023800
    ldr r3, =0x40023800
9:  ldr r3, [r3]
    end
case "read the system control space", status=READ, at=9f, address=0xe000ed94
    ldr r3, =0xe000ed94
9:  ldr r3, [r3]
    end
case "read behind the arena", status=READ, at=9f, address=ARENA+ARENA_SIZE
    ldr r3, =ARENA + ARENA_SIZE
9:  ldrb r3, [r3]
    end
case "word across the arena's end", status=READ, at=9f, address=ARENA+ARENA_SIZE-3
    ldr r3, =ARENA + ARENA_SIZE - 3
9:  ldr r3, [r3]
    end
case "ldm across the arena's end", status=READ, at=9f, address=ARENA+ARENA_SIZE
    ldr r3, =ARENA + ARENA_SIZE - 4
9:  ldm r3, {r4, r5}
    end
case "read behind the library", status=READ, at=9f, address=0x08048000
    ldr r3, =0x08048000
9:  ldr r3, [r3]
    end
case "read kernel memory", status=READ, at=9f, address=0x20000000
    mov r3, #0x20000000
9:  ldr r3, [r3]
    end
case "read the bit-band alias of the arena", status=READ, at=9f, address=0x22200000
    ldr r3, =0x22200000
9:  ldr r3, [r3]
    end
    .ltorg

@ Writes.
case "write null", status=WRITE, at=9f, address=4
    movs r3, #0
9:  str r3, [r3, #4]
    end
case "write its own code", status=WRITE, at=9f
    adr r3, .
9:  str r3, [r3]
    end
case "write the library", status=WRITE, at=9f, address=LIBRARY
    ldr r3, =LIBRARY
9:  strb r3, [r3]
    end
case "write behind the arena", status=WRITE, at=9f, address=ARENA+ARENA_SIZE
    ldr r3, =ARENA + ARENA_SIZE
9:  strb r3, [r3]
    end
case "write below the arena, not through sp", status=WRITE, at=9f, address=ARENA-1
    ldr r3, =ARENA - 1
9:  strb r3, [r3]
    end
case "stm across the arena's end", status=WRITE, at=9f, address=ARENA+ARENA_SIZE
    ldr r3, =ARENA + ARENA_SIZE - 4
9:  stm r3, {r4, r5}
    end
case "strd behind the arena", status=WRITE, at=9f, address=ARENA+ARENA_SIZE
    ldr r3, =ARENA + ARENA_SIZE
9:  strd r4, r5, [r3]
    end
case "a failed store leaves its base", status=WRITE, at=9f
    movs r3, #0
9:  str r2, [r3], #4
    end
    .ltorg

@ Stack.
case "push below the arena", status=STACK, at=9f
    push {r0-r7}
    ldr r3, =ARENA + 8
    mov sp, r3
9:  push {r4, r5, lr}
    end
case "frame larger than the stack", status=STACK, at=9f, address=ARENA-488
    sub sp, #1000
9:  str r2, [sp]
    end
case "frame pointer below the arena", status=STACK, at=9f
    sub sp, #508
    sub sp, #100
    mov r7, sp
9:  str r2, [r7]
    end
case "recursion", status=STACK, at=9f
9:  push {r3, lr}
    bl 9b
    pop {r3, pc}
case "svc with sp outside", status=STACK, at=9f, address=0x30000000
    mov r3, #0x30000000
    mov sp, r3
9:  svc #1
    end
case "svc without room for its frame", status=STACK, at=9f, address=ARENA+32
    ldr r3, =ARENA + 32
    mov sp, r3
9:  svc #0
    end
    .ltorg

@ Jumps.
case "jump to zero", status=JUMP, at=9f, address=0
    movs r3, #1
9:  bx r3
case "jump to zero without the Thumb bit", status=JUMP, at=9f
    movs r3, #0
9:  bx r3
case "even target", status=JUMP, at=9f
    bic r3, lr, #1
9:  bx r3
case "even target through pop", status=JUMP, at=9f
    bic r3, lr, #1
    push {r3}
9:  pop {pc}
case "jump into the arena", status=JUMP, at=9f, address=MEM
    add r3, r0, #1
9:  blx r3
case "jump behind the program", status=JUMP, at=9f, address=0x080e0000
    ldr r3, =0x080e0001
9:  bx r3
case "jump behind the library", status=JUMP, at=9f, address=LIBRARY+0x100
    ldr r3, =LIBRARY + 0x101
9:  bx r3
case "jump to kernel flash", status=JUMP, at=9f, address=0x08000100
    ldr r3, =0x08000101
9:  bx r3
case "jump to a device", status=JUMP, at=9f, address=0x40000000
    ldr r3, =0x40000001
9:  bx r3
case "exception return", status=JUMP, at=9f, address=0xfffffffc
    mvn r3, #2
9:  bx r3
case "exception return through pop", status=JUMP, at=9f
    mvn r3, #6
    push {r3}
9:  pop {pc}
case "table branch out of the program", status=JUMP, at=9f
    movs r3, #0
    mvn r4, #0
    str r4, [r0]
9:  tbh [r0, r3, lsl #1]
    .ltorg

@ Instructions.
case "udf", status=INSN, at=9f
9:  udf #1
case "wide udf", status=INSN, at=9f
9:  udf.w #1
case "bkpt", status=INSN, at=9f
9:  bkpt #0
case "floating point", status=INSN, at=9f
    nop
9:  .inst.w 0xee000a10 @ vmov s0, r0
    end
case "coprocessor", status=INSN, at=9f
9:  .inst.w 0xee070f15
    end
case "ARMv8-M instruction", status=INSN, at=9f
9:  .inst.w 0xe84ef000 @ tt r0, lr
    end
case "unallocated hint", status=INSN, at=9f
9:  .inst.n 0xbf50
    end
case "undefined store of the model", status=INSN, at=9f
9:  .inst.w 0xf80d0800 @ strb with P = W = 0
    end
case "undefined inside an IT block", status=INSN, at=9f
    cmp r2, #7
    it eq
9:  udfeq #0
    end
case "the block's state does not survive its fault", value=3
    movs r0, #3
    end

@ Alignment: only accesses of more than a word, and exclusives.
case "ldrd", status=ALIGN, at=9f, address=MEM+2
    adds r0, #2
9:  ldrd r3, r4, [r0]
    end
case "strd", status=ALIGN, at=9f, address=MEM-3
    adds r0, #1
9:  strd r3, r4, [r0, #-4]!
    end
case "ldm", status=ALIGN, at=9f, address=MEM+1
    adds r0, #1
9:  ldm r0, {r3, r4}
    end
case "stm", status=ALIGN, at=9f, address=MEM+2
    adds r0, #2
9:  stm r0!, {r3, r4}
    end
case "ldrex", status=ALIGN, at=9f, address=MEM+2
    adds r0, #2
9:  ldrex r3, [r0]
    end
case "ldrexh", status=ALIGN, at=9f, address=MEM+1
    adds r0, #1
9:  ldrexh r3, [r0]
    end

@ Supervisor calls.
case "svc with an unknown number", status=CALL, at=9f
9:  svc #2
    end
case "svc with an unknown helper", status=CALL, at=9f
    movw r12, #999
9:  svc #1
    end

@ Time.
case "endless loop", status=BUDGET
    b .
case "endless loop without a branch of its own", status=BUDGET
    mov r12, lr
1:  bl 2f
    b 1b
2:  bx lr
case "wfi in a loop", status=BUDGET
1:  wfi
    b 1b

@ Privilege.
case "control cannot be changed", value=3
    movs r3, #0
    msr control, r3
    isb
    mrs r0, control
    end
case "division by zero is 0", value=0
    movs r3, #0
    udiv r0, r1, r3
    end
