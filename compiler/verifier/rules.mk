# Checks of the linked program.
compiler/verifier_SRCS := cfg.c cfg_live.c cfg_loops.c linux_helpers.c registers.c verify.c verify_calls.c verify_cfg.c \
    verify_encoding.c verify_stack.c
compiler/verifier_MAY_INCLUDE := compiler/util compiler/program runtime/include
