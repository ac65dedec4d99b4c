/* SPDX-License-Identifier: MIT */
#include "host/nodes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "buf.h"
#include "err.h"
#include "host/sessions.h"
#include "scratch.h"

#define DEVICE "/sys/class/iscsi_session/session1/device/target1:0:0/1:0:0:0"
#define BY_PATH "/dev/disk/by-path"

/* What else the host has: a file, or a link by "-> TO". */
struct row {
	const char *name;
	const char *path, *text;
	int rc;
	const char *place; /* of the error */
};

static const struct row rows[] = {
	{ "a disk as it should be", BY_PATH "/link", "-> ../../sdb", 0, NULL },
	{ "a link to nothing", BY_PATH "/old", "-> ../../sdz/x", 0, NULL },
	{ "a link to itself", BY_PATH "/loop", "-> loop", 0, NULL },
	{ "no links at all", "/dev/other", "", 0, NULL },
	{ "a node without numbers", DEVICE "/scsi_tape/st0/uevent", "", 0, NULL },
	{ "a driver's directory that cannot be listed", DEVICE "/scsi_tape", "", -ENOTDIR,
	  DEVICE "/scsi_tape" },
	{ "numbers that cannot be read", DEVICE "/scsi_tape/st0/dev/keep", "", -EISDIR,
	  DEVICE "/scsi_tape/st0/dev" },
	{ "links that cannot be listed", BY_PATH, "", -ENOTDIR, BY_PATH },
	{ "a link that cannot be followed", BY_PATH "/link", "-> ../../file/sdb", -ENOTDIR,
	  BY_PATH "/link" },
};

static void build(const struct scratch *scratch, const struct row *row)
{
	scratch_write(scratch, DEVICE "/block/sdb/dev", "8:16\n", 0444);
	scratch_write(scratch, "/dev/file", "", 0644);
	scratch_write(scratch, row->path, row->text, 0644);
	if (strncmp(row->text, "-> ", 3) != 0)
		return;
	assert_int_equal(unlink(scratch_path(scratch, row->path)), 0);
	assert_int_equal(symlink(row->text + 3, scratch_path(scratch, row->path)), 0);
}

static void what_cannot_be_looked_at_is_an_error(void **state)
{
	const struct device device = { .name = "sdb", .path = DEVICE, .type = DEVICE_DISK };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct err err = { 0 };
		struct scratch scratch;
		struct nodes nodes;
		int rc;

		scratch_init(&scratch);
		build(&scratch, row);
		rc = nodes_load(&nodes, &scratch.paths, &device, &err);
		if (rc != row->rc || (rc == 0) != (nodes.count > 0) || (rc == 0 && err.code != 0) ||
		    (rc < 0 && strcmp(err.place + strlen(scratch.dir), row->place) != 0))
			fail_msg("%s: %d, %zu nodes, %s: %s", row->name, rc, nodes.count, err.place,
				 err.reason);
		nodes_done(&nodes);
		scratch_done(&scratch);
	}
}

static void a_device_that_is_gone_has_no_nodes(void **state)
{
	const struct device device = { .name = "sdb", .path = DEVICE, .type = DEVICE_DISK };
	struct err err = { 0 };
	struct scratch scratch;
	struct nodes nodes;

	(void)state;
	scratch_init(&scratch);
	assert_int_equal(nodes_load(&nodes, &scratch.paths, &device, &err), 0);
	assert_int_equal(nodes.count, 0);
	assert_int_equal(err.code, 0);
	nodes_done(&nodes);
	scratch_done(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_looked_at_is_an_error),
		cmocka_unit_test(a_device_that_is_gone_has_no_nodes),
	};

	return cmocka_run_group_tests_name("nodes", tests, NULL, NULL);
}
