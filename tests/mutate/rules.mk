# Seeded bugs, which `make check` has to find (scripts/mutate has the format).
tests/mutate_MAY_INCLUDE :=

CHECKS += mutate-seeds
mutate-seeds_CHECK := scripts/mutate --validate

## mutate: seed bugs one at a time; at least 95 % must be caught by make check (about an hour; ONLY=text for some)
.PHONY: mutate list-checks
mutate: all
	@scripts/mutate --only '$(ONLY)' --json $(BUILD)/mutate.json
list-checks:
	@echo $(ALL_CHECKS)
