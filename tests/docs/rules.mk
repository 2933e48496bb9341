# The commands of the documentation pages, run as a reader would (run-docs has the rules).
tests/docs_MAY_INCLUDE :=

DOC_PAGES := README.md $(wildcard docs/*.md)
DOC_NEEDS = $(addprefix $(BUILD)/,$(PROGRAMS)) $(ALL) $(GEN_GUIDE)

CHECKS += docs
docs_CHECK = tests/docs/run-docs $(DOC_PAGES)
docs_NEEDS = $(DOC_NEEDS)

## docs-update: write what the commands of the documentation print today into its pages
.PHONY: docs-update
docs-update: $(SETUP)
	@$(MAKE) $(PARALLEL) $(DOC_NEEDS)
	@scripts/doc-tables --update $(GEN_GUIDE) docs/programming.md
	@tests/docs/run-docs --update $(DOC_PAGES)
