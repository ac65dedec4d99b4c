# SPDX-License-Identifier: MIT
# `make deps-windows windows`: the programs for Windows, in build/windows, from any Linux. The rules are
# the Makefile's own, in a make with PLATFORM=windows.

WINDOWS_CC ?= x86_64-w64-mingw32-gcc
WINDOWS_LIBS := build/deps/windows

.PHONY: windows
windows: | $(DEPS)
	$(Q)$(MAKE) --no-print-directory PLATFORM=windows O=$(O)/windows CC=$(WINDOWS_CC) all

ifeq ($(PLATFORM),windows)
EXE := .exe
AR := $(WINDOWS_CC:gcc=ar)
DEPS_SET = deps-windows
PKGS = libxml-2.0 jansson
PKG_CONFIG = PKG_CONFIG_LIBDIR=$(WINDOWS_LIBS)/lib/pkgconfig pkg-config --static
# What works on the files of a Linux host; cli/os/host_windows.c says what stands in its place.
LIB_SRC := $(filter-out cli/host/% $(addprefix cli/,inspection.c plan_report.c \
	$(addprefix cmd_,apply.c check.c undo.c) \
	$(addprefix engine/,entry.c journal.c journal_writer.c merge.c place.c plan_chap.c replace.c \
	restore.c survey.c tx.c undo.c)),$(LIB_SRC))
# printf of C99 instead of msvcrt's. The attribute `printf` still means the latter, so that formats are
# left to the other builds to check.
PLATFORM_CFLAGS := -Icli/os/windows -D__USE_MINGW_ANSI_STDIO=1 -D_WIN32_WINNT=0x0A00
WARN += -Wno-format
PLATFORM_LDFLAGS := -static
PLATFORM_LIBS := -lws2_32 -lbcrypt -ladvapi32
endif
