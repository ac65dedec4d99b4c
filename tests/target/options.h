/* SPDX-License-Identifier: MIT */
/* The command line of sgw-target. */
#ifndef SGW_TARGET_OPTIONS_H
#define SGW_TARGET_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "persona.h"

struct err;
struct expectations;

struct portal_option {
	char host[256]; /* without brackets */
	uint16_t port; /* 0: a free one */
};

struct volume_option {
	char name[256];
	uint64_t size; /* bytes; 0: as long as the file is */
	const char *file; /* NULL: in memory */
};

struct target_options {
	enum persona persona;
	struct portal_option *portals;
	size_t portal_count; /* at least 1 after target_options_parse */
	struct portal_option advertise; /* host "": none; port 0: the portal's own */
	struct volume_option *volumes;
	size_t volume_count;
	uint32_t targets;
	uint32_t initiators; /* of one target; 0: no limit */
	const char *ready_file;
	const char *chap;
	const char *transcript;
	const char *faults;
	const char *control; /* a path; NULL: none */
	struct portal_option control_at; /* host "": none */
	struct expectations *expectations;
	bool help, version;
};

/* Parse argv[1…]. 0, or -EINVAL with *err set: wrong usage. target_options_done in any case. */
int target_options_parse(struct target_options *options, int argc, char **argv, struct err *err)
	__attribute__((nonnull));
void target_options_done(struct target_options *options) __attribute__((nonnull));
void target_options_help(FILE *out) __attribute__((nonnull));

#endif
