# SPDX-License-Identifier: MIT
# `make deps-portable check-portable`: one smoke test of what was built for other systems, sgw-target
# and sgw-init for Windows under wine, and sgw-target for a big-endian machine under qemu-user.

S390X_ROOT := $(abspath build/deps/s390x)
# sgw-target is one static file, of what it takes of cli/: no XML, and nothing of this host.
S390X_SRC := $(wildcard $(addprefix cli/,array.c buf.c err.c escape.c number.c quote.c \
	documents/chap_file.c iscsi/*.c os/*.c))

.PHONY: deps-portable s390x check-portable
deps-portable:
	@tests/deps base windows portable

s390x: | $(DEPS)
	$(Q)$(MAKE) --no-print-directory O=$(O)/s390x CC=s390x-linux-gnu-gcc LDFLAGS='-static -Wl,--no-warnings' \
		CPPFLAGS=-I$(S390X_ROOT)/usr/include/s390x-linux-gnu \
		PKGS='jansson libcrypto' DEPS_SET=deps-portable \
		LIB_SRC='$(filter $(S390X_SRC),$(LIB_SRC))' LIB_OBJ='$$(call obj,$$(LIB_SRC))' \
		PKG_CONFIG='PKG_CONFIG_LIBDIR=$(S390X_ROOT)/usr/lib/s390x-linux-gnu/pkgconfig \
		PKG_CONFIG_SYSROOT_DIR=$(S390X_ROOT) pkg-config --static' $(O)/s390x/sgw-target

check-portable: all windows s390x
	@O=$(O) tests/run $(or $(TESTS),portable)
