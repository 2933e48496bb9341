# SPDX-License-Identifier: MIT
#
# One Makefile for the whole tree, without recursion: each directory describes itself in a rules.mk,
# and the rules here turn these descriptions into objects, libraries, programs and checks. Nothing
# below runs a tool while the Makefile is read: on a bare machine scripts/setup.sh comes first.
#
# What a rules.mk may say (DIR is its directory, written out, as in compiler/elf_SRCS):
#
#   DIR_SRCS        := a.c b.c        sources, relative to DIR. Those of compiler/ and runtime/ go into
#                                     libbpf2thumb.a; those of other directories go where _DIRS says
#   DIR_MAY_INCLUDE := compiler/util  directories whose headers DIR may include (scripts/check-layers)
#   DIR_CFLAGS      := -Iemulator     more flags for the sources of DIR, in every host tree
#   DIR_TARGET_CFLAGS := ...          the same for the Cortex-M4 tree
#
#   PROGRAMS += NAME                  an executable build/NAME, always linked with libbpf2thumb.a:
#   NAME_MAIN := emulator/main.c        its own sources, from the top
#   NAME_DIRS := emulator               directories whose DIR_SRCS it needs besides the library
#   NAME_LIBS := -lunicorn              libraries besides $(HOST_LIBS)
#
#   test_NAME_DIRS, test_NAME_LIBS    the same for the unit test tests/unit/test_NAME.c (found by itself)
#
#   GENERATED += build/gen/x.h        a generated file that must exist before anything is compiled
#                                     (give its rule in the rules.mk; build/gen is an include directory)
#   CHECKS += NAME                    a check of `make check`:
#   NAME_CHECK := command               prints `N passed, N failed` last; exit status not 0 = failed
#   NAME_NEEDS := build/...             what must be built first
#   FIRMWARES += NAME                 build/firmware/NAME.elf for a board, from NAME_DIRS and NAME_MAIN (as for
#                                     programs) and NAME_LD, the linker script and what that includes; NAME_LDFLAGS
#   DEMO, DEMO_NEEDS                  command and needs of `make demo`
#   CONFORMANCE, CONFORMANCE_NEEDS    the same for `make conformance`; the command may use $(SUITE)
#   ALL += build/...                  more for `make all`
#   ## target: what it does          a line of `make help`, above a target that a user calls
#   TOOLS += NAME                     of PROGRAMS: has the commands `man` and `completion`, whose output is
#                                     made and installed
#   NOT_INSTALLED += NAME             of PROGRAMS: is for this tree only
#   INSTALL_DATA += file:dir          a file to install, and the directory below PREFIX
#
# Object trees: build/host (-O2), build/asan (address and undefined sanitizers, for the tests),
# build/fuzz (libFuzzer), build/target (Cortex-M4), build/bpf (eBPF objects of clang, from *.bpf.c).
# $(call objs,TREE,DIR) names the objects of DIR in one of the first three.

MAKEFLAGS += --no-builtin-rules --no-builtin-variables
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

BUILD     := build
CC        := gcc
AR        := ar
CLANG     := clang-19
FORMAT    := clang-format
TARGET    := arm-none-eabi-
PREFIX    ?= /usr/local
SUITE     ?=

WARNINGS      := -std=c11 -Wall -Wextra -Wshadow -Werror
INCLUDES      := -Icompiler -Iruntime/include -I$(BUILD)/gen
DEPFLAGS       = -MMD -MP
HOST_CFLAGS   := $(WARNINGS) -D_GNU_SOURCE -O3 -g
ASAN_CFLAGS   := $(WARNINGS) -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
                 -fno-sanitize-recover=undefined
TARGET_CFLAGS := $(WARNINGS) -mcpu=cortex-m4 -mthumb -mfloat-abi=soft -O2 -g -ffreestanding -ffixed-r9 \
                 -ffunction-sections -fdata-sections
# The kernel and its drivers do not use the FPU; tasks may. r9 is reserved in the library only.
FIRMWARE_CFLAGS := -fcall-saved-r9 -Irtos/include
BPF_CFLAGS    := -target bpf -mcpu=v4 -O2 -g -Wall -Wextra -Werror
HOST_LIBS     := -lelf -lbpf -lcjson

LIBBPF2THUMB  := $(BUILD)/host/libbpf2thumb.a
SETUP         := $(BUILD)/setup.stamp

objs = $(patsubst %.c,$(BUILD)/$(1)/$(2)/%.o,$(filter %.c,$($(2)_SRCS)))

RULES := $(sort $(wildcard */rules.mk */*/rules.mk */*/*/rules.mk))
RULES := $(filter-out $(BUILD)/%,$(RULES))
DIRS  := $(RULES:/rules.mk=)
include $(RULES)

MAN_PAGES     := $(TOOLS:%=$(BUILD)/man/%.1)
COMPLETIONS   := $(TOOLS:%=$(BUILD)/completion/%)
ALL           += $(MAN_PAGES) $(COMPLETIONS)
INSTALL_DATA  += $(MAN_PAGES:%=%:share/man/man1) $(COMPLETIONS:%=%:share/bash-completion/completions)
INSTALL_DATA  += $(patsubst %,%:share/doc/bpf2thumb,LICENSE README.md)
INSTALL_DATA  += $(patsubst %,%:share/doc/bpf2thumb/docs,$(wildcard docs/*.md))
INSTALLED_BIN := $(filter-out $(NOT_INSTALLED),$(PROGRAMS))

LIB_DIRS := $(filter compiler compiler/% runtime runtime/%,$(DIRS))
TESTS    := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/test_*.c)))

# ---------------------------------------------------------------------------------------------------
# What a user asks for

.PHONY: all help setup check demo conformance bench clean install install-files uninstall hooks format FORCE

## all: build the host tools (the default)
all: $(SETUP) $(addprefix $(BUILD)/,$(PROGRAMS)) $(ALL)

## help: list these targets
help:
	@sed -n 's/^## //p' Makefile $(RULES) | awk '{ i = index($$0, ": "); printf "  make %-24s %s\n", substr($$0, 1, i - 1), substr($$0, i + 2) }'

## setup: install the Debian packages that are missing
setup: $(SETUP)

$(SETUP): scripts/setup.sh
	@scripts/setup.sh
	@mkdir -p $(@D) && touch $@

## check: run all tests; the last line is `N passed, N failed`
check: $(SETUP)
	@rm -rf $(BUILD)/check && mkdir -p $(BUILD)/check
	@$(MAKE) $(PARALLEL) -k $(addprefix check-,$(ALL_CHECKS)) || true
	@scripts/tally $(BUILD)/check $(ALL_CHECKS)

## demo: compile the example programs, run them in the emulator, install some on the virtual board
demo: $(SETUP)
	@test -n '$(DEMO_NEEDS)' || { echo 'make demo: there is no demo in this tree yet' >&2; exit 1; }
	@$(MAKE) $(PARALLEL) $(DEMO_NEEDS)
	@$(DEMO)

## conformance SUITE=dir: run a directory of .data vectors on every engine
conformance: $(SETUP)
	@test -d '$(SUITE)' || { echo 'usage: make conformance SUITE=directory-of-.data-files' >&2; exit 2; }
	@test -n '$(CONFORMANCE_NEEDS)' || { echo 'make conformance: there is no runner yet' >&2; exit 1; }
	@$(MAKE) $(PARALLEL) $(CONFORMANCE_NEEDS)
	@$(CONFORMANCE)

## bench: cycles and bytes of compiled eBPF, interpreter and native gcc -O2; time of compiler and verifier; build/bench.json
bench: $(SETUP)
	@$(MAKE) $(PARALLEL) $(BENCH_NEEDS) $(SCALE) $(SCALE_VERIFY)
	@$(BENCH)
	@$(BENCH_COMPILE)
	@$(BENCH_VERIFY)

# These four take all processors unless -j says otherwise.
PARALLEL = --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$$(nproc)) --output-sync=target

## format: format all C files of the project
format: $(SETUP)
	@scripts/check-format --fix

## hooks: let git run the project's pre-commit hook in this clone
hooks:
	@git config core.hooksPath scripts/hooks && echo 'git now runs scripts/hooks/pre-commit'

## install PREFIX=dir DESTDIR=dir: install the tools and what programs need (default /usr/local)
install: all
	@$(MAKE) --no-print-directory install-files

# What `all` has built, without building: the tests call it while make is at work.
install-files:
	install -D -t $(DESTDIR)$(PREFIX)/bin $(INSTALLED_BIN:%=$(BUILD)/%)
	$(foreach f,$(INSTALL_DATA),install -D -m 644 -t $(DESTDIR)$(PREFIX)/$(lastword $(subst :, ,$(f))) \
	    $(firstword $(subst :, ,$(f)))$(newline)	)

## uninstall PREFIX=dir DESTDIR=dir: remove what install has installed
uninstall:
	rm -f $(INSTALLED_BIN:%=$(DESTDIR)$(PREFIX)/bin/%)
	$(foreach f,$(INSTALL_DATA),rm -f $(DESTDIR)$(PREFIX)/$(lastword $(subst :, ,$(f)))/$(notdir \
	    $(firstword $(subst :, ,$(f))))$(newline)	)
	-rmdir $(addprefix $(DESTDIR)$(PREFIX)/,share/bpf2thumb/include share/bpf2thumb/templates \
	    share/bpf2thumb share/doc/bpf2thumb/docs share/doc/bpf2thumb/examples share/doc/bpf2thumb \
	    lib/bpf2thumb)

## clean: remove everything that was built
clean:
	rm -rf $(BUILD)

define newline


endef

# ---------------------------------------------------------------------------------------------------
# Objects. $* is the source without .c, so $(*D) is its directory.

$(BUILD)/host/%.o: %.c | $(SETUP) $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) $(INCLUDES) $($(*D)_CFLAGS) $(DEPFLAGS) -c -o $@ $<

$(BUILD)/asan/%.o: %.c | $(SETUP) $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ASAN_CFLAGS) $(INCLUDES) $($(*D)_CFLAGS) $(DEPFLAGS) -c -o $@ $<

$(BUILD)/target/%.o: %.c | $(SETUP) $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(TARGET)gcc $(TARGET_CFLAGS) $(INCLUDES) $($(*D)_TARGET_CFLAGS) $(DEPFLAGS) -c -o $@ $<

$(BUILD)/target/%.o: %.S | $(SETUP) $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(TARGET)gcc $(TARGET_CFLAGS) $(INCLUDES) $($(*D)_TARGET_CFLAGS) $(DEPFLAGS) -c -o $@ $<

$(BUILD)/bpf/%.bpf.o: %.bpf.c | $(SETUP) $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -I$(BUILD)/gen -Iprograms $($(*D)_BPF_CFLAGS) $(DEPFLAGS) -c -o $@ $<

# One line per command; `make V=1` shows the commands themselves.
ifeq ($(V),)
Q = @echo '  $(word 2,$(subst /, ,$@)) $(if $(filter %.a,$@),$@,$<)';
endif

# ---------------------------------------------------------------------------------------------------
# Libraries, programs, unit tests

define library
$(BUILD)/$(1)/libbpf2thumb.a: $(foreach d,$(LIB_DIRS),$(call objs,$(1),$(d)))
	@rm -f $$@
	$$(Q)$(AR) rcs $$@ $$^
endef
$(eval $(call library,host))
$(eval $(call library,asan))
$(eval $(call library,fuzz))

# $(call program,NAME,TREE,OUTPUT,MAIN SOURCES,MORE LIBRARIES)
define program
$(3): $(patsubst %.c,$(BUILD)/$(2)/%.o,$(4)) $(foreach d,$($(1)_DIRS),$(call objs,$(2),$(d))) \
    $(BUILD)/$(2)/libbpf2thumb.a
	@mkdir -p $$(@D)
	@echo '  link $$@'
	@$(CC) $(if $(filter asan,$(2)),-fsanitize=address$(comma)undefined) -o $$@ $$^ $($(1)_LIBS) $(HOST_LIBS) $(5)
endef
comma := ,

$(BUILD)/man/%.1: $(BUILD)/%
	@mkdir -p $(@D)
	@echo '  man  $@'
	@$< man > $@

$(BUILD)/completion/%: $(BUILD)/%
	@mkdir -p $(@D)
	@echo '  bash $@'
	@$< completion bash > $@

$(foreach p,$(PROGRAMS),$(eval $(call program,$(p),host,$(BUILD)/$(p),$($(p)_MAIN))))
$(foreach t,$(TESTS),$(eval $(call program,$(t),asan,$(BUILD)/tests/$(t),tests/unit/$(t).c,-lcriterion)))

# ---------------------------------------------------------------------------------------------------
# Firmware: nothing but its own code and the compiler's runtime (64-bit division).

define firmware
$(BUILD)/firmware/$(1).elf: $($(1)_LD) $(foreach d,$($(1)_DIRS),\
    $(patsubst %,$(BUILD)/target/$(d)/%.o,$(basename $($(d)_SRCS)))) \
    $(patsubst %,$(BUILD)/target/%.o,$(basename $($(1)_MAIN)))
	@mkdir -p $$(@D)
	@echo '  link $$@'
	@$(TARGET)gcc -mcpu=cortex-m4 -mthumb -mfloat-abi=soft -nostdlib -Wl,--gc-sections -Wl,--fatal-warnings \
	    -Wl,--no-warn-rwx-segments -Wl,-L,$$(dir $$<) -Wl,-T,$$< $$($(1)_LDFLAGS) -Wl,-Map,$$(@:.elf=.map) $$(filter %.o,$$^) -lgcc -o $$@
endef
$(foreach f,$(FIRMWARES),$(eval $(call firmware,$(f))))

# ---------------------------------------------------------------------------------------------------
# Checks. scripts/run-check runs one, records its result and prints one line; scripts/tally sums up.

layers_CHECK := scripts/check-layers
layers-selftest_CHECK := scripts/check-layers --self-test
format_CHECK := scripts/check-format
$(foreach t,$(TESTS),$(eval $(t)_CHECK := $(BUILD)/tests/$(t) --timeout 300))
$(foreach t,$(TESTS),$(eval $(t)_NEEDS += $(BUILD)/tests/$(t)))
ALL_CHECKS := layers layers-selftest format $(TESTS) $(CHECKS)

define check
.PHONY: check-$(1)
check-$(1): $(SETUP) $($(1)_NEEDS)
	@scripts/run-check $(BUILD)/check $(1) $($(1)_CHECK)
endef
$(foreach c,$(ALL_CHECKS),$(eval $(call check,$(c))))

-include $(shell test -d $(BUILD) && find $(BUILD) -name '*.d')
