/* SPDX-License-Identifier: MIT */
#include "host/database.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "err.h"
#include "scratch.h"

#define NODES "/etc/iscsi/nodes/"
#define VAR_NODES "/var/lib/iscsi/nodes/"

static void write_record(const struct scratch *scratch, const char *root, const char *target,
			 const char *address, unsigned port, int tag)
{
	char path[512], text[512];

	snprintf(path, sizeof(path), tag < 0 ? "%s%s/%s,%u" : "%s%s/%s,%u,%d/default", root, target,
		 address, port, tag);
	snprintf(text, sizeof(text),
		 "node.name = %s\nnode.tpgt = %d\nnode.conn[0].address = %s\n"
		 "node.conn[0].port = %u\n",
		 target, tag, address, port);
	scratch_write(scratch, path, text, 0600);
}

/* What was found, a line each: path, a blank, and the problem. */
static void assert_found(const struct scratch *scratch, const char *root, const char *expected)
{
	CLEANUP(buf_done) struct buf found = { 0 };
	struct database db;
	struct err err = { 0 };

	if (database_load(&db, &scratch->paths, &err) < 0)
		fail_msg("%s: %s", err.place, err.reason);
	for (size_t i = 0; i < db.count; i++)
		buf_addf(&found, "%s %.30s\n", db.records[i].path, db.records[i].problem);
	assert_string_equal(buf_text(&found), expected);
	assert_string_equal(db.path, root);
	database_done(&db);
}

static void finds_records_of_both_layouts_sorted(void **state)
{
	struct scratch scratch;

	(void)state;
	scratch_init(&scratch);
	write_record(&scratch, NODES, "iqn.x:b", "10.0.0.5", 3260, 1);
	write_record(&scratch, NODES, "iqn.x:a", "10.0.0.6", 3260, -1);
	write_record(&scratch, NODES, "iqn.x:a", "10.0.0.5", 3261, 1);
	write_record(&scratch, NODES, "iqn.x:a", "10.0.0.5", 860, 1);
	write_record(&scratch, NODES, "iqn.x:a", "fe80::1", 3260, 1);
	assert_found(&scratch, "/etc/iscsi",
		     NODES "iqn.x:a/10.0.0.5,860,1/default \n" NODES
			   "iqn.x:a/10.0.0.5,3261,1/default \n" NODES
			   "iqn.x:a/10.0.0.6,3260 \n" NODES
			   "iqn.x:a/fe80::1,3260,1/default \n" NODES
			   "iqn.x:b/10.0.0.5,3260,1/default \n");
	scratch_done(&scratch);
}

static void tells_what_is_no_record(void **state)
{
	struct scratch scratch;

	(void)state;
	scratch_init(&scratch);
	write_record(&scratch, NODES, "iqn.x:a", "10.0.0.5", 3260, 1);
	scratch_write(&scratch, NODES "iqn.x:a/10.0.0.5,3260,1/default.tmp", "", 0600);
	scratch_write(&scratch, NODES "iqn.x:a/10.0.0.6,3260,1.bak", "x = 1\n", 0600);
	scratch_write(&scratch, NODES "iqn.x:a/10.0.0.7,3260,1/default", "a\nb = 1\n", 0600);
	scratch_write(&scratch, NODES "stray", "x = 1\n", 0600);
	assert_int_equal(mkdir(scratch_path(&scratch, NODES "iqn.x:empty"), 0700), 0);
	assert_found(&scratch, "/etc/iscsi",
		     NODES
		     "iqn.x:a/10.0.0.5,3260,1/default \n" NODES
		     "iqn.x:a/10.0.0.5,3260,1/default.tmp it has no node.name, so nobody\n" NODES
		     "iqn.x:a/10.0.0.6,3260,1.bak \"10.0.0.6,3260,1.bak\" is no po\n" NODES
		     "iqn.x:a/10.0.0.7,3260,1/default it has no node.name, so nobody\n" NODES
		     "stray a file where a target's direct\n");
	scratch_done(&scratch);
}

static void hostile_names_lead_nowhere(void **state)
{
	static const char text[] = "node.name = iqn.x\nnode.tpgt = 1\n";
	struct scratch scratch;
	struct database db;
	struct err err = { 0 };
	char path[300];

	(void)state;
	scratch_init(&scratch);
	scratch_write(&scratch, "/secret", "node.name = iqn.x:out\n", 0600);
	scratch_write(&scratch, NODES "iqn.x\nnode.name = y/10.0.0.5,3260,1/default", text, 0600);
	snprintf(path, sizeof(path), NODES "%0*d/10.0.0.5,3260,1/default", 250, 7);
	scratch_write(&scratch, path, text, 0600);
	/* Links resolve inside the tree, where nothing, or something else, is. */
	symlink("../../../../../../../../../etc/passwd", scratch_path(&scratch, NODES "passwd"));
	symlink("loop", scratch_path(&scratch, NODES "loop"));
	symlink("/../../secret", scratch_path(&scratch, NODES "secret"));
	assert_int_equal(database_load(&db, &scratch.paths, &err), 0);
	assert_int_equal(db.count, 5);
	for (size_t i = 0; i < db.count; i++)
		assert_true(db.records[i].problem[0] != '\0');
	database_done(&db);
	scratch_done(&scratch);
}

struct root_row {
	const char *name;
	const char *paths[3]; /* files that exist; a text with blanks is an os-release */
	const char *root;
};

static const struct root_row root_rows[] = {
	{ "nothing known", { NULL }, "/var/lib/iscsi" },
	{ "Debian 12", { "ID=debian VERSION_ID=\"12\"" }, "/etc/iscsi" },
	{ "Debian 13", { "VERSION_ID=\"13\" ID=debian" }, "/var/lib/iscsi" },
	{ "Debian unstable", { "ID=debian" }, "/var/lib/iscsi" },
	{ "Ubuntu 22.04", { "ID=ubuntu VERSION_ID='22.04'" }, "/etc/iscsi" },
	{ "Ubuntu 24.04", { "ID=ubuntu VERSION_ID=24.04" }, "/var/lib/iscsi" },
	{ "RHEL 9", { "ID=\"rhel\" VERSION_ID=\"9.4\"" }, "/var/lib/iscsi" },
	{ "Debian 12 with a database below /var",
	  { "ID=debian VERSION_ID=\"12\"", VAR_NODES "iqn.x:a/10.0.0.5,3260,1/default" },
	  "/var/lib/iscsi" },
	{ "only discoveries", { "/etc/iscsi/send_targets/10.0.0.5,3260/st_config" }, "/etc/iscsi" },
	{ "both, records in one",
	  { "/var/lib/iscsi/send_targets/10.0.0.5,3260/st_config",
	    NODES "iqn.x:a/10.0.0.5,3260,1/default" },
	  "/etc/iscsi" },
	{ "both, records in both",
	  { "ID=debian VERSION_ID=\"12\"", NODES "iqn.x:a/10.0.0.5,3260,1/default",
	    VAR_NODES "iqn.x:a/10.0.0.5,3260,1/default" },
	  "/etc/iscsi" },
};

static void chooses_the_root_that_is_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(root_rows); i++) {
		const struct root_row *row = &root_rows[i];
		struct scratch scratch;
		struct database db;
		struct err err = { 0 };

		scratch_init(&scratch);
		for (size_t j = 0; j < ARRAY_LEN(row->paths) && row->paths[j]; j++) {
			char text[128];

			if (row->paths[j][0] == '/') {
				scratch_write(&scratch, row->paths[j], "", 0600);
				continue;
			}
			snprintf(text, sizeof(text), "NAME=x\n%s\n", row->paths[j]);
			for (char *p = text; *p; p++)
				*p = *p == ' ' ? '\n' : *p;
			scratch_write(&scratch, "/usr/lib/os-release", text, 0644);
		}
		assert_int_equal(database_load(&db, &scratch.paths, &err), 0);
		if (strcmp(db.path, row->root) != 0)
			fail_msg("%s: %s, not %s", row->name, db.path, row->root);
		database_done(&db);
		scratch_done(&scratch);
	}
}

static void one_root_linked_to_the_other_is_read_once(void **state)
{
	struct scratch scratch;

	(void)state;
	scratch_init(&scratch);
	write_record(&scratch, VAR_NODES, "iqn.x:a", "10.0.0.5", 3260, 1);
	scratch_write(&scratch, "/etc/iscsi/iscsid.conf", "", 0644);
	assert_int_equal(
		symlink("/var/lib/iscsi/nodes", scratch_path(&scratch, "/etc/iscsi/nodes")), 0);
	assert_found(&scratch, "/var/lib/iscsi", VAR_NODES "iqn.x:a/10.0.0.5,3260,1/default \n");
	scratch_done(&scratch);
}

static void finds_a_record_by_its_portal(void **state)
{
	struct scratch scratch;
	struct database db;
	struct err err = { 0 };
	struct record *record;
	size_t from = 0;

	(void)state;
	scratch_init(&scratch);
	for (int i = 0; i < 20; i++) {
		char target[32];

		snprintf(target, sizeof(target), "iqn.x:%02d", i);
		write_record(&scratch, NODES, target, "10.0.0.5", 3260, 1);
	}
	scratch_write(&scratch, NODES "iqn.x:07/10.0.0.5,3260,1/eth7",
		      "node.name = iqn.x:07\nnode.tpgt = 1\nnode.conn[0].address = 10.0.0.5\n"
		      "node.conn[0].port = 3260\n",
		      0600);
	assert_int_equal(database_load(&db, &scratch.paths, &err), 0);
	assert_int_equal(db.count, 21);
	record = database_find(&db, "iqn.x:07", "10.0.0.5", 3260, &from);
	assert_string_equal(record->interface, "default");
	record = database_find(&db, "iqn.x:07", "10.0.0.5", 3260, &from);
	assert_string_equal(record->interface, "eth7");
	assert_null(database_find(&db, "iqn.x:07", "10.0.0.5", 3260, &from));
	from = 0;
	assert_null(database_find(&db, "iqn.x:07", "10.0.0.5", 3261, &from));
	from = 0;
	assert_null(database_find(&db, "iqn.x:99", "10.0.0.5", 3260, &from));
	database_done(&db);
	scratch_done(&scratch);
}

struct name_row {
	const char *text, *name;
	int rc;
};

static const struct name_row name_rows[] = {
	{ "InitiatorName=iqn.1993-08.org.debian:01:5bf6\n", "iqn.1993-08.org.debian:01:5bf6", 0 },
	{ "## DO NOT EDIT\n InitiatorName = iqn.x:y \nInitiatorAlias=z\n", "iqn.x:y", 0 },
	{ "#InitiatorName=iqn.x:a\nInitiatorName=iqn.x:b\nInitiatorName=iqn.x:c\n", "iqn.x:b", 0 },
	{ "InitiatorAlias=iqn.x:y\n", NULL, -EINVAL },
	{ "GenerateName=yes\n", NULL, -EINVAL },
	{ "InitiatorName=\n", NULL, -EINVAL },
	{ "InitiatorName=host7\n", NULL, -EINVAL },
	{ "InitiatorName=iqn.x y\n", NULL, -EINVAL },
	{ "InitiatorName=iqn.\x1b[31m\n", NULL, -EINVAL },
	{ "", NULL, -EINVAL },
	{ NULL, NULL, -ENOENT },
};

static void reads_the_initiators_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(name_rows); i++) {
		const struct name_row *row = &name_rows[i];
		struct scratch scratch;
		char name[ISCSI_NAME_SIZE] = "";
		struct err err = { 0 };
		int rc;

		scratch_init(&scratch);
		if (row->text)
			scratch_write(&scratch, "/etc/iscsi/initiatorname.iscsi", row->text, 0600);
		else
			scratch_write(&scratch, "/etc/iscsi/iscsid.conf", "", 0600);
		rc = initiator_name_read(&scratch.paths, name, &err);
		if (rc != row->rc || (row->name && strcmp(name, row->name) != 0))
			fail_msg("\"%s\": %d, %s, %s", row->text ? row->text : "absent", rc, name,
				 err.reason);
		if (rc < 0)
			assert_non_null(strstr(err.place, "initiatorname.iscsi"));
		scratch_done(&scratch);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_records_of_both_layouts_sorted),
		cmocka_unit_test(tells_what_is_no_record),
		cmocka_unit_test(hostile_names_lead_nowhere),
		cmocka_unit_test(chooses_the_root_that_is_there),
		cmocka_unit_test(one_root_linked_to_the_other_is_read_once),
		cmocka_unit_test(finds_a_record_by_its_portal),
		cmocka_unit_test(reads_the_initiators_name),
	};

	return cmocka_run_group_tests_name("database", tests, NULL, NULL);
}
