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
# Commands and parts of the engine that Windows has; the others work on the files of a Linux host, and
# cli/os/host_windows.c says what stands in its place.
WINDOWS_HAS := $(addprefix cli/,$(addprefix cmd_,discover.c probe.c profile.c) $(addprefix engine/, \
	budget.c compare.c knob.c plan.c profile.c profile_%.c schema.c schema_%.c wanted.c))
LIB_SRC := $(filter-out cli/host/% udev/% cli/choice.c cli/connect% cli/disconnect% cli/inspection.c cli/gone.c \
	cli/plan_report.c cli/apply_report.c cli/live.c cli/logins.c cli/relogin.c cli/resume.c cli/uses_json.c,$(LIB_SRC))
LIB_SRC := $(filter-out cli/cmd_% cli/engine/%,$(LIB_SRC)) $(filter $(WINDOWS_HAS),$(LIB_SRC))
# printf of C99 instead of msvcrt's. The attribute `printf` still means the latter, so that formats are
# left to the other builds to check.
PLATFORM_CFLAGS := -Icli/os/windows -D__USE_MINGW_ANSI_STDIO=1 -D_WIN32_WINNT=0x0A00
WARN += -Wno-format
PLATFORM_LDFLAGS := -static
PLATFORM_LIBS := -lws2_32 -lbcrypt -ladvapi32
endif
