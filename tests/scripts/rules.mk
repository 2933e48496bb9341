# Tests of the scripts and of the command line: shell scripts that share lib.sh.
tests/scripts_MAY_INCLUDE :=

CHECKS += pre-commit
pre-commit_CHECK := tests/scripts/pre-commit.sh

CHECKS += counting
counting_CHECK := tests/scripts/counting.sh

CHECKS += command-line
command-line_CHECK := tests/scripts/command-line.sh $(BUILD)/bpf2thumb
command-line_NEEDS := $(BUILD)/bpf2thumb

CHECKS += setup
setup_CHECK := tests/scripts/setup.sh
