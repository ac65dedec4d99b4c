# SPDX-License-Identifier: MIT
# sgw-init and sgw-target. `make` builds, `make deps demo` shows, `make deps check` proves.
#
# O=DIR where objects and programs go · V=1 show the commands · WERROR=1 warnings are errors
# SANITIZE=address,undefined instrument everything · prefix, DESTDIR as usual

O ?= build
prefix ?= /usr/local
sbindir ?= $(prefix)/sbin
mandir ?= $(prefix)/share/man
SANITIZE ?=
WERROR ?=

PKGS = libxml2 jansson libudev libcrypto
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)

CFLAGS ?= -O2 -g
WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
	-Wpointer-arith -Wvla -Wformat=2 -Wundef
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Icli -I$(O)/gen $(PKG_CFLAGS) \
	$(WARN) $(if $(WERROR),-Werror) $(if $(SANITIZE),-fsanitize=$(SANITIZE) \
	-fno-sanitize-recover=all -fno-omit-frame-pointer) -fno-strict-aliasing $(CFLAGS)
ALL_LDFLAGS = $(if $(SANITIZE),-fsanitize=$(SANITIZE)) -Wl,--as-needed $(LDFLAGS)

Q = $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(patsubst $(O)/%,%,$(2))';)

LIB_SRC := $(filter-out cli/main.c,$(wildcard cli/*.c cli/*/*.c))
TARGET_SRC := $(wildcard tests/target/*.c)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
obj = $(patsubst %.c,$(O)/obj/%.o,$(1))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(O)/unit/%,$(UNIT_SRC))

.PHONY: all unit clean
all: $(if $(wildcard cli/main.c),$(O)/sgw-init) $(if $(TARGET_SRC),$(O)/sgw-target)

$(O)/libsgw.a: $(call obj,$(LIB_SRC))
	$(call say,AR,$@)rm -f $@ && ar rcs $@ $^

$(O)/sgw-init: $(call obj,cli/main.c) $(O)/libsgw.a
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(O)/sgw-target: $(call obj,$(TARGET_SRC)) $(O)/libsgw.a
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(O)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/unit/%: $(O)/obj/tests/unit/%.o $(O)/libsgw.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka

unit: $(UNIT_TESTS)
	$(Q)set -e; for t in $^; do $$t; done

clean:
	rm -rf $(O)

-include $(shell find $(O)/obj -name '*.d' 2>/dev/null)
