# SPDX-License-Identifier: MIT
# sgw-init and sgw-target. `make` builds, `make deps demo` shows, `make deps check` proves.
#
# O=DIR where objects and programs go · V=1 show the commands · WERROR=1 warnings are errors
# SANITIZE=address,undefined instrument everything · prefix, sbindir, mandir, DESTDIR as usual

VERSION = 0.1.0

O ?= build
prefix ?= /usr/local
bindir ?= $(prefix)/bin
sbindir ?= $(prefix)/sbin
mandir ?= $(prefix)/share/man
SANITIZE ?=
WERROR ?=
CFLAGS ?= -O2 -g

# The system that the programs are for: posix or, by `make windows`, windows.
PLATFORM ?= posix
# Looked up when first used, not on reading: in `make deps all` deps comes before.
once = $(eval $(1) := $(2))$($(1))
PKGS = libxml-2.0 jansson libudev libcrypto
PKG_CONFIG ?= pkg-config
PKG_CFLAGS = $(call once,PKG_CFLAGS,$(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null))
PKG_LIBS = $(call once,PKG_LIBS,$(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null))
DEPS_SET = deps

WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
	-Wpointer-arith -Wvla -Wformat=2 -Wundef $(if $(WERROR),-Werror)
INSTRUMENT = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer)
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DSGW_VERSION='"$(VERSION)"' \
	-pthread $(PLATFORM_CFLAGS) -Icli -iquote . $(PKG_CFLAGS) $(CPPFLAGS) $(WARN) $(INSTRUMENT) \
	-fno-strict-aliasing $(CFLAGS)
ALL_LDFLAGS = $(PLATFORM_LDFLAGS) -pthread $(INSTRUMENT) -Wl,--as-needed $(LDFLAGS)

Q = $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(patsubst $(O)/%,%,$(2))';)
obj = $(patsubst %.c,$(O)/obj/%.o,$(1))
keep = $(file >$@.new,$(1))@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# A file NAME_posix.c or NAME_windows.c is for that system alone.
OTHER_PLATFORM := $(if $(filter posix,$(PLATFORM)),windows,posix)
LIB_SRC := $(filter-out cli/main.c %_$(OTHER_PLATFORM).c,$(wildcard cli/*.c cli/*/*.c udev/*.c))
LIB_OBJ = $(call obj,$(LIB_SRC)) $(O)/gen/templates.o
TARGET_SRC := $(wildcard tests/target/*.c)
# What `make deps all` has to have installed before anything else is done.
DEPS := $(filter deps deps-%,$(MAKECMDGOALS))
TEMPLATES := $(sort $(wildcard templates/profiles/*.xml templates/*.rng udev/*.rules.in))
PROGRAMS = $(O)/sgw-init$(EXE) $(O)/sgw-target$(EXE)

include windows.mk portable.mk

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all install uninstall clean FORCE
all: $(O)/libsgw.a $(PROGRAMS)

$(O)/sgw-init$(EXE): $(call obj,cli/main.c) $(O)/libsgw.a
$(O)/sgw-target$(EXE): $(call obj,$(TARGET_SRC)) $(O)/libsgw.a
$(PROGRAMS): $(O)/flags
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o %.a,$^) $(PKG_LIBS) $(PLATFORM_LIBS)

$(O)/libsgw.a: $(LIB_OBJ) $(O)/files
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $(LIB_OBJ)

$(O)/obj/%.o: %.c $(O)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/gen/templates.o: $(O)/gen/templates.c $(O)/flags
	$(call say,CC,$@)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/gen/templates.c: cli/templates.sh $(TEMPLATES) $(O)/files
	@mkdir -p $(@D)
	$(call say,GEN,$@)sh cli/templates.sh $(TEMPLATES) >$@

# Both change only when what they hold does: a new flag builds all anew, a new file what lists it.
$(O)/flags: FORCE | $(O) $(DEPS)
	@for tool in $(firstword $(CC)) pkg-config; do command -v $$tool >/dev/null || \
		{ echo "$$tool is missing: run: make $(DEPS_SET)" >&2; exit 1; }; done
	@for lib in $(PKGS); do $(PKG_CONFIG) --exists $$lib || \
		{ echo "$$lib is missing: run: make $(DEPS_SET)" >&2; exit 1; }; done
	$(call keep,$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(PKG_LIBS) $(PLATFORM_LIBS))

$(O)/files: FORCE | $(O)
	$(call keep,$(LIB_SRC) $(TEMPLATES))

$(O):
	@mkdir -p $@

# Templates are compiled in: programs and man pages are all there is.
MAN5 := $(wildcard cli/*.5)
MAN8 := $(wildcard cli/*.8 tests/target/*.8)

install: all
	install -d $(addprefix $(DESTDIR),$(bindir) $(sbindir) $(mandir)/man5 $(mandir)/man8)
	install $(O)/sgw-init $(DESTDIR)$(sbindir)/
	install $(O)/sgw-target $(DESTDIR)$(bindir)/
	install -m 644 $(MAN5) $(DESTDIR)$(mandir)/man5/
	install -m 644 $(MAN8) $(DESTDIR)$(mandir)/man8/

uninstall:
	rm -f $(addprefix $(DESTDIR),$(sbindir)/sgw-init $(bindir)/sgw-target \
		$(addprefix $(mandir)/man5/,$(notdir $(MAN5))) \
		$(addprefix $(mandir)/man8/,$(notdir $(MAN8))))

# Spares what deps unpacked.
clean:
	if [ -d $(O) ]; then find $(O) -mindepth 1 -maxdepth 1 ! -name deps -exec rm -rf {} +; fi

include tests/tests.mk
-include $(shell find $(O)/obj $(O)/gen -name '*.d' 2>/dev/null)
