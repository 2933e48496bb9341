# Checks of the linked program.
compiler/verifier_SRCS := cfg.c cfg_live.c cfg_loops.c linux_helpers.c num.c num_alu.c num_jump.c rank.c \
    rank_shape.c registers.c rel.c scalar.c verify.c verify_calls.c verify_cfg.c verify_encoding.c \
    verify_stack.c
compiler/verifier_MAY_INCLUDE := compiler/util compiler/program runtime/include
