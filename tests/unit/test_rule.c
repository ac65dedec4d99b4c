/* SPDX-License-Identifier: MIT */
#include "documents/rule.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "documents/document.h"
#include "err.h"
#include "templates.h"

static const struct document_type *const type = &document_rule;

#define OURS(seconds)                                                                  \
	"ACTION==\"add|change\", SUBSYSTEM==\"scsi\", ENV{DEVTYPE}==\"scsi_device\", " \
	"ATTR{type}==\"0\", ATTR{model}==\"Storage Gateway\", ATTR{timeout}=\"" seconds "\"\n"
#define CONDITION "ACTION==\"add\", SUBSYSTEMS==\"scsi\" , ATTRS{model}==\"Storage Gateway\", "
#define SHELL(seconds) "RUN+=\"/bin/sh -c 'echo " seconds " > /sys$$DEVPATH/timeout'\"\n"
/* As AWS's page prints it, on two lines; with its value filled in, and not. */
#define AWS CONDITION "\n" SHELL("600")
#define AWS_UNFILLED CONDITION "\n" SHELL("[timeout]")
#define RHEL5 "ACTION==\"add\", SUBSYSTEM==\"scsi\" , SYSFS{type}==\"0|7|14\", \\ \n" SHELL("600")

static struct document *parse(const char *text)
{
	struct document *doc = NULL;
	struct err err = { 0 };

	if (type->parse(&doc, text, strlen(text), &err) < 0)
		fail_msg("%s: %s", text, err.reason);
	return doc;
}

static void assert_text(const struct document *doc, const char *expected)
{
	CLEANUP(buf_done) struct buf out = { 0 };
	struct err err = { 0 };

	assert_int_equal(type->write(doc, &out, &err), 0);
	assert_string_equal(buf_text(&out), expected);
}

struct get_row {
	const char *text;
	const char *value; /* NULL: none */
	unsigned line;
};

static const struct get_row get_rows[] = {
	{ "", NULL, 0 },
	{ "# " OURS("600"), NULL, 0 },
	{ "\n# note\n\t" OURS("600"), "600", 3 },
	/* as measured in a guest */
	{ AWS, "600", 2 },
	{ AWS_UNFILLED, "0", 2 },
	{ CONDITION SHELL("600"), "600", 1 },
	{ RHEL5, "600", 2 },
	{ "SYSFS{model}==\"Storage Gateway\", ATTR{timeout}=\"600\"\n", NULL, 0 },
	{ "DEVTYPE==\"scsi_device\", ATTR{timeout}=\"600\"\n", NULL, 0 },
	/* how lines go on */
	{ CONDITION "\\\n" SHELL("600"), "600", 1 },
	{ CONDITION "\\\n# between\n\t" SHELL("600"), "600", 1 },
	{ "SUBSYSTEM==\"block\", \\\n" SHELL("600"), NULL, 0 },
	{ OURS("600") "x \\", "600", 1 },
	{ "SUBSYSTEM==\"scsi\",\\\r\nATTR{timeout}=\"600\"\r\n", "600", 1 },
	/* conditions */
	{ "ATTR{model}==\"Storage*\", ATTR{timeout}=\"600\"\n", "600", 1 },
	{ "ATTR{model}==\"Storage Gateway \", ATTR{timeout}=\"600\"\n", "600", 1 },
	{ "ATTR{model}==\"Storage Gateway  \", ATTR{timeout}=\"600\"\n", NULL, 0 },
	{ "ATTR{model}==\"S?orage [A-H]ateway\", ATTR{timeout}=\"600\"\n", "600", 1 },
	{ "ATTR{model}==\"S?orage [!A-H]ateway\", ATTR{timeout}=\"600\"\n", NULL, 0 },
	{ "ATTR{model}!=\"Other\", ATTR{timeout}=\"600\"\n", "600", 1 },
	{ "ATTR{type}==\"1|8\", ATTR{timeout}=\"600\"\n", NULL, 0 },
	{ "ATTR{type}==\"7|0\", ATTR{timeout}=\"600\"\n", "600", 1 },
	{ "ACTION==\"change\", ATTR{timeout}=\"600\"\n", NULL, 0 },
	{ "ACTION!=\"remove\", ATTR{timeout}=\"600\"\n", "600", 1 },
	{ "ATTR{vendor}==\"Amazon\", ATTR{timeout}=\"600\"\n", NULL, 0 },
	{ "PROGRAM=\"/bin/true\", ATTR{timeout}=\"600\"\n", NULL, 0 },
	{ "SUBSYSTEM==\"block\", ATTRS{model}==\"Storage Gateway\", ATTR{device/timeout}=\"600\"\n",
	  "600", 1 },
	{ "KERNEL==\"sd*\", ATTRS{model}==\"Storage*\", "
	  "RUN+=\"/bin/sh -c 'echo 600 >/sys%p/device/timeout'\"\n",
	  "600", 1 },
	/* which one wins */
	{ OURS("5") OURS("600"), "600", 2 },
	{ CONDITION SHELL("5") OURS("600"), "5", 1 },
	{ "ATTR{timeout}=\"abc\"\n", "0", 1 },
	{ "ATTR{timeout}=\"-1\"\n", "0", 1 },
	{ "ATTR{timeout}=\"\"\n", "0", 1 },
	/* faults: udev takes nothing of such a rule */
	{ "ATTR{timeout}=600\n", NULL, 0 },
	{ "ATTR{timeout}=\"600\n", NULL, 0 },
	{ "ATTR{timeout=\"600\"\n", NULL, 0 },
	{ "ATTR{timeout}=\"600\" junk\n", NULL, 0 },
	{ "SUBSYSTEM=\"scsi\", ATTR{timeout}=\"600\"\n", NULL, 0 },
	{ "ATTR==\"x\", ATTR{timeout}=\"600\"\n", NULL, 0 },
	{ "ENV{x}=\"say \\\"a\\\"\", ATTR{timeout}=\"600\"\n", "600", 1 },
};

static void reads_what_a_gateways_disk_would_get(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(get_rows); i++) {
		const struct get_row *row = &get_rows[i];
		struct document *doc = parse(row->text);
		unsigned line = 99;
		const char *value = type->get(doc, "timeout", &line);

		if (!value != !row->value || (value && strcmp(value, row->value) != 0) ||
		    line != row->line)
			fail_msg("%s: %s, line %u", row->text, value ? value : "nothing", line);
		assert_null(type->get(doc, "model", NULL));
		type->free(doc);
	}
}

struct set_row {
	const char *name, *before, *after; /* after NULL: nothing to do */
};

static const struct set_row set_rows[] = {
	{ "there already", OURS("600"), NULL },
	{ "in place", "# mine\n" OURS("5") "# end\n", "# mine\n" OURS("600") "# end\n" },
	{ "CRLF stays", "ATTR{model}==\"Storage Gateway\", ATTR{timeout}=\"5\" \r\n",
	  "ATTR{model}==\"Storage Gateway\", ATTR{timeout}=\"600\" \r\n" },
	{ "an unfilled value of our kind", OURS("[timeout]"), OURS("600") },
	{ "a newline comes back", "# only a comment", "# only a comment\n" OURS("600") },
	{ "others' rules stay", "KERNEL==\"sdb\", NAME=\"x\"\n",
	  "KERNEL==\"sdb\", NAME=\"x\"\n" OURS("600") },
	{ "an unfinished rule takes no line of ours", "SUBSYSTEM==\"block\", \\",
	  "# SUBSYSTEM==\"block\", \\\n" OURS("600") },
	{ "what would win over ours is commented out", "# a\n" CONDITION "\\\n" SHELL("5") "# b\n",
	  "# a\n# " CONDITION "\\\n# " SHELL("5") "# b\n" OURS("600") },
	{ "AWS's unfilled one", AWS_UNFILLED, CONDITION "\n# " SHELL("[timeout]") OURS("600") },
	{ "a rule for all disks stays, ours comes after it",
	  "SUBSYSTEM==\"scsi\", ATTR{type}==\"0\", ATTR{timeout}=\"180\"\n",
	  "SUBSYSTEM==\"scsi\", ATTR{type}==\"0\", ATTR{timeout}=\"180\"\n" OURS("600") },
};

static void set_changes_one_line_or_adds_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(set_rows); i++) {
		const struct set_row *row = &set_rows[i];
		struct document *doc = parse(row->before);
		struct err err = { 0 };

		if (type->set(doc, "timeout", "600", &err) != (row->after ? 1 : 0))
			fail_msg("%s: %s", row->name, err.reason);
		assert_text(doc, row->after ? row->after : row->before);
		assert_string_equal(type->get(doc, "timeout", NULL), "600");
		assert_int_equal(type->set(doc, "timeout", "600", &err), 0);
		type->free(doc);
	}
}

static const struct set_row unset_rows[] = {
	{ "nothing there", "# a\n", NULL },
	{ "ours goes", "# a\n" OURS("600") "# b\n", "# a\n# b\n" },
	{ "all of ours", OURS("600") OURS("5"), "" },
	{ "others' are commented out", OURS("600") CONDITION SHELL("5"),
	  "# " CONDITION SHELL("5") },
};

static void unset_takes_ours_away(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(unset_rows); i++) {
		const struct set_row *row = &unset_rows[i];
		struct document *doc = parse(row->before);
		struct err err = { 0 };

		if (type->unset(doc, "timeout", &err) != (row->after ? 1 : 0))
			fail_msg("%s: %s", row->name, err.reason);
		assert_text(doc, row->after ? row->after : row->before);
		assert_null(type->get(doc, "timeout", NULL));
		type->free(doc);
	}
}

static void the_whole_file_comes_from_the_template(void **state)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct document *doc = parse("");
	struct err err = { 0 };

	(void)state;
	assert_int_equal(rule_render("600", &text, &err), 0);
	assert_null(strstr(buf_text(&text), "@"));
	assert_non_null(strstr(buf_text(&text), "\n" OURS("600")));
	assert_int_equal(type->set(doc, "timeout", "600", &err), 1);
	assert_text(doc, buf_text(&text));
	assert_int_equal(type->set(doc, "timeout", "900", &err), 1);
	assert_string_equal(type->get(doc, "timeout", NULL), "900");
	type->free(doc);
}

static void refuses_what_the_kernel_would_misread(void **state)
{
	static const char *const values[] = { "",     "abc", "-1",	"0",	      "600s",
					      " 600", "060", "2147484", "99999999999" };
	struct document *doc = parse("");
	CLEANUP(buf_done) struct buf text = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct err err = { 0 };

		if (type->set(doc, "timeout", values[i], &err) >= 0 ||
		    rule_render(values[i], &text, &err) >= 0)
			fail_msg("\"%s\" was taken", values[i]);
		assert_true(err.reason[0] != '\0');
	}
	assert_int_equal(text.len, 0);
	assert_text(doc, "");
	type->free(doc);
}

struct lint_row {
	const char *text;
	unsigned count, line; /* of the last */
	enum severity severity;
	const char *words;
};

static const struct lint_row lint_rows[] = {
	{ OURS("600"), 0, 0, 0, NULL },
	{ AWS, 2, 2, SEVERITY_CRITICAL,
	  "every device (line 1, its condition, ends without a backslash)" },
	{ AWS_UNFILLED, 2, 2, SEVERITY_CRITICAL, "[timeout], which the kernel takes for 0" },
	{ RHEL5, 1, 2, SEVERITY_CRITICAL, "every device (line 1, its condition" },
	{ CONDITION "\n", 1, 1, SEVERITY_WARNING, "nothing to do" },
	{ CONDITION SHELL("600"), 1, 1, SEVERITY_WARNING, "starts a shell" },
	{ CONDITION SHELL("[timeout]"), 1, 1, SEVERITY_ERROR, "no number" },
	{ OURS("[timeout]"), 1, 1, SEVERITY_ERROR, "no number" },
	{ "SYSFS{model}==\"Storage Gateway\", ATTR{timeout}=\"600\"\n", 1, 1, SEVERITY_WARNING,
	  "SYSFS is no key of udev's; ATTR{" },
	{ "DEVTYPE==\"scsi_device\", ATTR{timeout}=\"600\"\n", 1, 1, SEVERITY_WARNING,
	  "ENV{DEVTYPE} is meant" },
	{ "SUBSYSTEM==\"scsi\", ATTR{timeout}=\"600\"\n", 1, 1, SEVERITY_CRITICAL,
	  "every SCSI device" },
	{ "SUBSYSTEM==\"scsi\", ATTR{type}==\"0|7|14\", ATTR{timeout}=\"180\"\n", 1, 1,
	  SEVERITY_WARNING, "every SCSI disk" },
	{ "KERNEL==\"sd*\", SUBSYSTEM==\"block\", ATTR{device/timeout}=\"180\"\n", 1, 1,
	  SEVERITY_WARNING, "every SCSI disk" },
	{ "ATTRS{vendor}==\"VMware*\", ATTRS{model}==\"Virtual disk*\", "
	  "RUN+=\"/bin/sh -c 'echo 180 >/sys$DEVPATH/device/timeout'\"\n",
	  0, 0, 0, NULL },
	{ "KERNEL==\"sda\", SYMLINK+=\"x\"\nFOO==\"bar\"\nSUBSYSTEM==\"net\"\n", 0, 0, 0, NULL },
	{ "SUBSYSTEM==\"scsi\", ATTR{timeout}=600\n", 1, 1, SEVERITY_WARNING,
	  "ATTR has no value in double quotes" },
	{ "SUBSYSTEM==\"scsi\", ATTR{timeout}=\"600\" \\", 1, 1, SEVERITY_WARNING,
	  "a further line is missing" },
};

struct lint_seen {
	struct lint last;
	unsigned count;
};

static int keep_lint(const struct lint *lint, void *ctx)
{
	struct lint_seen *seen = ctx;

	seen->count++;
	seen->last = *lint;
	return 0;
}

static void lint_finds_rules_that_do_harm(void **state)
{
	static const char *const keys[] = { "timeout", NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lint_rows); i++) {
		const struct lint_row *row = &lint_rows[i];
		struct document *doc = parse(row->text);
		struct lint_seen seen = { 0 };

		assert_int_equal(type->lint(doc, keys, keep_lint, &seen), 0);
		if (seen.count != row->count || seen.last.line != row->line ||
		    seen.last.severity != row->severity || seen.last.ours != (row->count > 0) ||
		    (row->words && !strstr(seen.last.text, row->words)))
			fail_msg("%s: %u, line %u, severity %d: %s", row->text, seen.count,
				 seen.last.line, seen.last.severity, seen.last.text);
		type->free(doc);
	}
}

static void what_lint_complains_of_can_be_commented_out(void **state)
{
	struct document *doc = parse("# a\n" AWS "# b\n");
	struct lint_seen seen = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(rule_disable(doc, 1, &err), 0);
	assert_int_equal(rule_disable(doc, 3, &err), 1);
	assert_int_equal(rule_disable(doc, 2, &err), 1);
	assert_text(doc, "# a\n# " CONDITION "\n# " SHELL("600") "# b\n");
	type->lint(doc, NULL, keep_lint, &seen);
	assert_int_equal(seen.count, 0);
	type->free(doc);
}

static void refuses_what_is_no_text(void **state)
{
	struct document *doc = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(type->parse(&doc, "a\n\0", 3, &err), -EINVAL);
	assert_string_equal(err.reason,
			    "line 2: a NUL byte: not a text file, or one in UTF-16; save it as "
			    "plain text");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_a_gateways_disk_would_get),
		cmocka_unit_test(set_changes_one_line_or_adds_it),
		cmocka_unit_test(unset_takes_ours_away),
		cmocka_unit_test(the_whole_file_comes_from_the_template),
		cmocka_unit_test(refuses_what_the_kernel_would_misread),
		cmocka_unit_test(lint_finds_rules_that_do_harm),
		cmocka_unit_test(what_lint_complains_of_can_be_commented_out),
		cmocka_unit_test(refuses_what_is_no_text),
	};

	return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
