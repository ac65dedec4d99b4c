# SPDX-License-Identifier: MIT
# What proves it: unit tests, and all that `make check` runs.

UNIT_TESTS := $(patsubst tests/%.c,$(O)/%,$(wildcard tests/unit/test_*.c))

.PHONY: unit
unit: $(UNIT_TESTS)
	$(Q)set -e; for t in $^; do $$t; done

$(O)/unit/%: $(O)/obj/tests/unit/%.o $(O)/libsgw.a $(O)/flags
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o %.a,$^) $(PKG_LIBS) -lcmocka
