/* SPDX-License-Identifier: MIT */
#include "host/records.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "documents/document.h"
#include "documents/open_iscsi.h"
#include "err.h"
#include "host/database.h"
#include "os/files.h"

static const struct database debian = { .path = "/etc/iscsi" };

static struct document *parse(const char *text)
{
	struct document *doc = NULL;
	struct err err = { 0 };

	assert_int_equal(document_open_iscsi.parse(&doc, text, strlen(text), &err), 0);
	return doc;
}

static void a_new_record_holds_identity_and_iscsid_conf(void **state)
{
	struct document *conf = parse("node.startup = automatic\n"
				      "node.session.timeo.replacement_timeout = 120 # note\n"
				      "node.conn[0].timeo.noop_out_interval=60\n" /* not read */
				      "node.session.auth.username = me\n"
				      "node.session.iscsi.InitialR2T = yes\n" /* not read */
				      "node.no.such.key = 5\n" /* iscsiadm would trip over it */
				      "node.conn[1].timeo.noop_out_interval = 5\n"
				      "node.name = iqn.not:this\n"
				      "node.conn[0].address = 9.9.9.9\n"
				      "discovery.sendtargets.reopen_max = 5\n"
				      "iface.transport_name = iser\n");
	struct record record;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(record_new(&record, &debian, "iqn.1997-05.com.amazon:myvolume", "10.0.0.5",
				    3260, 1, conf, &err),
			 0);
	assert_string_equal(record.path, "/etc/iscsi/nodes/iqn.1997-05.com.amazon:myvolume/"
					 "10.0.0.5,3260,1/default");
	assert_string_equal(buf_text(&record.bytes),
			    "# BEGIN RECORD sgw-init " SGW_VERSION "\n"
			    "node.name = iqn.1997-05.com.amazon:myvolume\n"
			    "node.tpgt = 1\n"
			    "node.startup = automatic\n"
			    "iface.iscsi_ifacename = default\n"
			    "iface.transport_name = tcp\n"
			    "node.discovery_port = 0\n"
			    "node.discovery_type = static\n"
			    "node.session.auth.username = me\n"
			    "node.session.timeo.replacement_timeout = 120\n"
			    "node.conn[0].address = 10.0.0.5\n"
			    "node.conn[0].port = 3260\n"
			    "# END RECORD\n");
	assert_true(record.bytes.secret);
	assert_string_equal(document_open_iscsi.get(record.doc, "node.startup", NULL), "automatic");
	record_done(&record);
	document_open_iscsi.free(conf);
}

struct new_row {
	const char *target, *address;
	int port, tag;
	const char *path; /* NULL: refused */
};

static const struct new_row new_rows[] = {
	{ "iqn.x:y", "10.0.0.5", 3260, -1, "/etc/iscsi/nodes/iqn.x:y/10.0.0.5,3260" },
	{ "iqn.x:y", "10.0.0.5", 3260, 0, "/etc/iscsi/nodes/iqn.x:y/10.0.0.5,3260,0/default" },
	{ "iqn.x:y", "[FE80:0:0::1]", 3260, 1, "/etc/iscsi/nodes/iqn.x:y/fe80::1,3260,1/default" },
	{ "eui.02004567a425678d", "gw-1.example", 1, 65535,
	  "/etc/iscsi/nodes/eui.02004567a425678d/gw-1.example,1,65535/default" },
	{ "iqn.", "10.0.0.5", 3260, 1, NULL },
	{ "../../etc/passwd", "10.0.0.5", 3260, 1, NULL },
	{ "iqn.x/../../y", "10.0.0.5", 3260, 1, NULL },
	{ "iqn.x\ny = 1", "10.0.0.5", 3260, 1, NULL },
	{ "iqn.x y", "10.0.0.5", 3260, 1, NULL },
	{ "iqn.x,y", "10.0.0.5", 3260, 1, NULL },
	{ "iqn.x\xff", "10.0.0.5", 3260, 1, NULL },
	{ "iqn.x:y", "", 3260, 1, NULL },
	{ "iqn.x:y", "..", 3260, 1, NULL },
	{ "iqn.x:y", "10.0.0.5/..", 3260, 1, NULL },
	{ "iqn.x:y", "10.0.0.5,1", 3260, 1, NULL },
	{ "iqn.x:y", "10.0.0.5\n", 3260, 1, NULL },
	{ "iqn.x:y", "[]", 3260, 1, NULL },
	{ "iqn.x:y", "10.0.0.5", 0, 1, NULL },
	{ "iqn.x:y", "10.0.0.5", 3260, 65536, NULL },
};

static void a_new_record_goes_where_iscsiadm_looks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(new_rows); i++) {
		const struct new_row *row = &new_rows[i];
		struct record record;
		struct err err = { 0 };
		int rc = record_new(&record, &debian, row->target, row->address,
				    (uint16_t)row->port, row->tag, NULL, &err);

		if (rc != (row->path ? 0 : -EINVAL) ||
		    (row->path && strcmp(record.path, row->path) != 0))
			fail_msg("%s at %s: %d, %s", row->target, row->address, rc,
				 rc < 0 ? err.reason : record.path);
		if (rc == 0)
			record_done(&record);
	}
}

static void a_name_of_224_bytes_is_refused(void **state)
{
	char name[225] = "iqn.";
	struct record record;
	struct err err = { 0 };

	(void)state;
	memset(name + 4, 'x', sizeof(name) - 5);
	assert_int_equal(record_new(&record, &debian, name, "::1", 3260, 1, NULL, &err), -EINVAL);
	name[223] = '\0';
	assert_int_equal(record_new(&record, &debian, name, "::1", 3260, 1, NULL, &err), 0);
	assert_string_equal(document_open_iscsi.get(record.doc, "node.name", NULL), name);
	record_done(&record);
}

#define IDENTITY                                                                \
	"node.name = iqn.x:y\nnode.tpgt = 1\nnode.conn[0].address = 10.0.0.5\n" \
	"node.conn[0].port = 3260\n"

struct place_row {
	const char *portal, *text;
	const char *problem; /* NULL: none */
};

static const struct place_row place_rows[] = {
	{ "10.0.0.5,3260,1", IDENTITY, NULL },
	{ "10.0.0.5,3260", IDENTITY, NULL },
	{ "10.0.0.5,3260,2", IDENTITY,
	  "its node.tpgt is \"1\", but its path says \"2\": move this file away, or" },
	{ "10.0.0.6,3260,1", IDENTITY, "its node.conn[0].address is \"10.0.0.5\"" },
	{ "10.0.0.5,3261,1", IDENTITY, "its node.conn[0].port is \"3260\"" },
	{ "10.0.0.5,3260,1", IDENTITY "node.name = iqn.x:z\n", "its node.name is \"iqn.x:z\"" },
	{ "10.0.0.5,3260,1", "",
	  "it has no node.name, so nobody can tell whose record it is: move" },
	{ "10.0.0.5,3260,1", "node.name = iqn.x:y\n", "it has no node.conn[0].address" },
	{ "10.0.0.5,3260,1", IDENTITY "cut off here", "line 5: the file ends within this line" },
	{ "fe80::1,3260,1",
	  "node.name = iqn.x:y\nnode.tpgt = 1\nnode.conn[0].address = FE80::0:1\n"
	  "node.conn[0].port = 3260\n",
	  NULL },
	{ "10.0.0.5", IDENTITY, "is no portal" },
	{ "10.0.0.5,", IDENTITY, "is no portal" },
	{ "10.0.0.5,3260,1.bak", IDENTITY, "is no portal" },
	{ "10.0.0.5,99999,1", IDENTITY, "is no portal" },
	{ ",3260,1", IDENTITY, "is no portal" },
};

static void a_record_is_held_against_its_path(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(place_rows); i++) {
		const struct place_row *row = &place_rows[i];
		struct record record = { .bytes.secret = true };

		buf_adds(&record.bytes, row->text);
		record_place(&record, "iqn.x:y", row->portal, "default");
		if (record.problem[0] == '\0')
			record_read(&record);
		if (row->problem ? !strstr(record.problem, row->problem)
				 : record.problem[0] != '\0')
			fail_msg("%s: %s", row->portal, record.problem);
		record_done(&record);
	}
}

static void odd_names_are_no_records(void **state)
{
	static const char *const rows[][2] = {
		{ "iqn.1997-05.com.amazon:\x1b[31m", "default" },
		{ "iqn.1997-05.com.amazon:a b", "default" },
		{ "iqn.1997-05.com.amazon:$(reboot)", "default" },
		{ "iqn.1997-05.com.amazon:\xff", "default" },
		{ "iqn.1997-05.com.amazon:a", "de\nfault" },
		{ "iqn.1997-05.com.amazon:a", "\x1b[31m" },
		{ "iqn.1997-05.com.amazon:a", "\xff" },
		{ "iqn.1997-05.com.amazon:a", "a;b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct record record = { 0 };

		record_place(&record, rows[i][0], "10.0.0.1,3260,1", rows[i][1]);
		if (!strstr(record.problem, "not a record"))
			fail_msg("row %zu: %s", i, record.problem);
		record_done(&record);
	}
}

/* new CONF TARGET ADDRESS PORT TAG [KEY VALUE]...: print a new record, for iscsiadm to read. */
static int print_new(int argc, char **argv)
{
	CLEANUP(buf_done) struct buf bytes = { 0 }, out = { 0 };
	struct document *conf = NULL;
	struct record record = { 0 };
	struct err err = { 0 };
	int rc = file_read(argv[0], DOCUMENT_SIZE_MAX, &bytes, &err);

	if (rc == 0)
		rc = document_open_iscsi.parse(&conf, buf_text(&bytes), bytes.len, &err);
	if (rc == 0)
		rc = record_new(&record, &debian, argv[1], argv[2],
				(uint16_t)strtol(argv[3], NULL, 10),
				(int32_t)strtol(argv[4], NULL, 10), conf, &err);
	for (int i = 5; rc >= 0 && i + 1 < argc; i += 2)
		rc = document_open_iscsi.set(record.doc, argv[i], argv[i + 1], &err);
	if (rc >= 0)
		rc = document_open_iscsi.write(record.doc, &out, &err);
	if (rc < 0)
		err_print("test_records", &err);
	else
		fwrite(buf_text(&out), 1, out.len, stdout);
	record_done(&record);
	document_open_iscsi.free(conf);
	return rc < 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_record_holds_identity_and_iscsid_conf),
		cmocka_unit_test(a_new_record_goes_where_iscsiadm_looks),
		cmocka_unit_test(a_name_of_224_bytes_is_refused),
		cmocka_unit_test(a_record_is_held_against_its_path),
		cmocka_unit_test(odd_names_are_no_records),
	};

	if (argc >= 7 && strcmp(argv[1], "new") == 0)
		return print_new(argc - 2, argv + 2);
	return cmocka_run_group_tests_name("records", tests, NULL, NULL);
}
