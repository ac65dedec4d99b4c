/* SPDX-License-Identifier: MIT */
/* A root directory for one test: made empty, written to by host paths, taken away whole. */
#ifndef SGW_TESTS_SCRATCH_H
#define SGW_TESTS_SCRATCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "host/paths.h"

struct scratch {
	char dir[128];
	struct paths paths; /* of dir */
};

/* Below $O or, where that is not set, /tmp: attributes and syncs need a real file system. */
void scratch_init(struct scratch *scratch);
void scratch_done(struct scratch *scratch);

/* The same for cmocka, with one on the heap as a test's state. */
int scratch_setup(void **state);
int scratch_teardown(void **state);
#define scratch_test(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

/* The place of a host path in the real file system; good until the fourth call after it. */
const char *scratch_path(const struct scratch *scratch, const char *path);

/* Write a file whole, its directories made; mode as chmod takes it. */
void scratch_write(const struct scratch *scratch, const char *path, const char *text, mode_t mode);
/* NULL where it is absent; good until the next call. */
const char *scratch_read(const struct scratch *scratch, const char *path);
bool scratch_has(const struct scratch *scratch, const char *path);

/*
 * All names, modes, link texts and bytes below dir as one text, in order; the
 * lock and the journal are left out. The caller frees it.
 */
char *scratch_dump(const struct scratch *scratch);

#endif
