# SPDX-License-Identifier: MIT
# What proves it: `make check` runs all, `make check TESTS="lint unit tests/apply.bats"` a part.

TESTS ?=
FUZZ_SECONDS ?= 300
FUZZ_CC ?= clang

UNIT_TESTS := $(patsubst tests/%.c,$(O)/%,$(wildcard tests/unit/test_*.c))
UNIT_SHARED := $(call obj,$(filter-out tests/unit/test_% tests/unit/target_%,$(wildcard \
	tests/unit/*.c)))
# Tests of sgw-target take all of it but its main, and what only they share.
TARGET_OBJ := $(call obj,$(filter-out %/main.c,$(TARGET_SRC)))
TARGET_SHARED := $(call obj,$(wildcard tests/unit/target_*.c))
BENCH_PROGRAMS := $(addprefix $(O)/bench/,apply_records load logins responder)
FUZZ_TARGETS := $(patsubst tests/%.c,$(O)/%,$(wildcard tests/fuzz/fuzz_*.c))
# Building for the fuzzer takes a while: only where a fuzz target is to run.
WITH_FUZZ := $(if $(TESTS),$(findstring fuzz,$(TESTS)),fuzz)

.PHONY: deps demo check check-fresh unit lint fuzz fuzz-programs fuzz-targets bench format
deps:
	@tests/deps base

# deps-fresh, what a rarer job needs on top.
deps-%:
	@tests/deps $*

demo: all
	@[ -x tests/demo ] || { echo 'there is no demo yet: tests/demo is missing' >&2; exit 1; }
	@O=$(O) tests/demo

CRASH := $(O)/crash/sgw-init $(O)/crash/crash

check: all $(UNIT_TESTS) $(CRASH) $(BENCH_PROGRAMS) $(if $(WITH_FUZZ),fuzz-programs)
	@O=$(O) tests/run $(TESTS)

unit: $(UNIT_TESTS)
	@O=$(O) tests/run unit

lint: | $(DEPS)
	@O=$(O) tests/run lint

check-fresh:
	@O=$(O) tests/fresh

format:
	clang-format -i $$(git ls-files '*.[ch]')

fuzz: fuzz-programs
	@O=$(O) FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_CORPUS=$(O)/fuzz-corpus \
		TEST_LIMIT=$$(($(FUZZ_SECONDS) + 120)) tests/run fuzz

# Each script of tests/bench in turn, nothing beside it; what it measured goes to $(O)/bench, where
# the yardsticks that are C (tests/bench/*.c) lie too.
bench: all $(BENCH_PROGRAMS)
	@mkdir -p $(O)/bench
	@set -e; for b in $(wildcard tests/bench/*); do [ -f $$b ] && [ -x $$b ] || continue; \
		echo "-- $$b"; \
		BUILD=$(abspath $(O)) RESULTS=$(abspath $(O)/bench) $$b; done

$(BENCH_PROGRAMS): $(O)/bench/%: $(O)/obj/tests/bench/%.o $(O)/libsgw.a $(O)/flags
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(PKG_LIBS) \
		$(BENCH_LIBS)

$(O)/bench/load: $(call obj,$(addprefix tests/bench/,meter.c wire.c))
$(O)/bench/logins: $(call obj,tests/bench/meter.c)
$(O)/bench/logins: BENCH_LIBS = -liscsi

$(filter $(O)/unit/test_target_%,$(UNIT_TESTS)): $(TARGET_OBJ) $(TARGET_SHARED)
$(addprefix $(O)/fuzz/fuzz_,target faults): $(TARGET_OBJ)

$(UNIT_TESTS): $(O)/unit/%: $(O)/obj/tests/unit/%.o $(UNIT_SHARED) $(O)/libsgw.a $(O)/flags
	@pkg-config --exists cmocka || { echo 'cmocka is missing: run: make deps' >&2; exit 1; }
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(PKG_LIBS) \
		-lcmocka

# A sgw-init whose system calls fail on demand, and the program that makes them fail one by one.
CRASH_WRAPPED = open64 openat64 read write fsync mkdirat unlinkat renameat linkat fchmod fchown \
	fsetxattr fstat64 fstatat64 readdir64
$(O)/crash/sgw-init: $(call obj,cli/main.c tests/crash/fault.c) $(O)/libsgw.a $(O)/flags
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) $(CRASH_WRAPPED:%=-Wl,--wrap=%) -o $@ \
		$(filter %.o %.a,$^) $(PKG_LIBS)

$(O)/crash/crash: $(call obj,tests/crash/crash.c tests/crash/tree.c) $(O)/flags
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^)

# The fuzzer is clang's: everything is built once more for it, below $(O)/fuzz.
fuzz-programs: | $(DEPS)
	$(Q)if command -v $(FUZZ_CC) >/dev/null; then $(MAKE) --no-print-directory O=$(O)/fuzz \
		CC=$(FUZZ_CC) SANITIZE=fuzzer-no-link,address,undefined fuzz-targets; fi

fuzz-targets: $(FUZZ_TARGETS)
	@:

$(FUZZ_TARGETS): $(O)/fuzz/%: $(O)/obj/tests/fuzz/%.o $(O)/libsgw.a $(O)/flags
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(filter %.a,$^) \
		$(PKG_LIBS)

# The fuzzer's entry point is declared by nobody.
$(O)/obj/tests/fuzz/%.o: WARN += -Wno-missing-prototypes

include tests/vm/vm.mk
