# Checks of the linked program.
compiler/verifier_SRCS := bounds.c calls.c cfg.c cfg_live.c cfg_loops.c check.c check_helper.c \
    check_memory.c depth.c explain.c explain_condition.c explore.c explore_plan.c explore_visited.c facts.c \
    fixpoint.c linux_helpers.c num.c num_alu.c num_jump.c objects.c problem.c rank.c rank_shape.c \
    registers.c rel.c relate.c scalar.c settle.c stack.c state.c state_pool.c state_print.c trace.c \
    transfer.c transfer_helper.c value.c values.c verify.c verify_calls.c verify_cfg.c \
    verify_encoding.c verify_object.c verify_stack.c
compiler/verifier_MAY_INCLUDE := compiler/util compiler/program runtime/include
