# The optimiser: one file per pass, the driver in opt.c.
compiler/opt_SRCS := arms.c cfg.c dce.c follow.c gvn.c induction.c inline_map.c known.c narrow.c opt.c phi.c promote.c sccp.c \
                     simplify.c simplify_arith.c simplify_other.c solve.c thread.c uses.c
compiler/opt_MAY_INCLUDE := compiler/util compiler/program compiler/ir runtime/include
