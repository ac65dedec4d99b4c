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
#define SYSFS "ACTION==\"add\", SUBSYSTEM==\"scsi\" , SYSFS{type}==\"0|7|14\", "
#define RHEL5 SYSFS "\\ \n" SHELL("600") /* a blank behind its backslash, as printed */
#define OUT "# sgw-init: commented out: "
#define EVERYWHERE OUT "it ran for every device, not only for a gateway's disks\n"
#define UNFILLED OUT "a placeholder in it was never filled in\n"
#define NO_NUMBER OUT "the kernel takes its value for 0\n"
#define RIVAL OUT "it gave a gateway's disks another timeout\n"

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
	{ "ATTR{vendor}==\"Amazon\", ATTR{timeout}=\"600\"\n", "600", 1 },
	{ "ATTR{vendor}!=\"Amazon\", ATTR{timeout}=\"600\"\n", NULL, 0 },
	{ "ATTR{vendor}==\"Amazon  \", ATTR{timeout}=\"600\"\n", "600", 1 },
	{ "ATTR{vendor}==\"Amazon   \", ATTR{timeout}=\"600\"\n", NULL, 0 },
	{ "ATTR{vendor}==\"NETAPP\", GOTO=\"end\"\n" OURS("600") "LABEL=\"end\"\n", "600", 2 },
	{ "PROGRAM=\"/bin/true\", ATTR{timeout}=\"600\"\n", NULL, 0 },
	{ "SUBSYSTEM==\"block\", ATTRS{model}==\"Storage Gateway\", ATTR{device/timeout}=\"600\"\n",
	  "600", 1 },
	{ "KERNEL==\"sd*\", ATTRS{model}==\"Storage*\", "
	  "RUN+=\"/bin/sh -c 'echo 600 >/sys%p/device/timeout'\"\n",
	  "600", 1 },
	/* a GOTO that may be taken leads over what follows, up to its label */
	{ "ATTR{model}!=\"Storage Gateway\", GOTO=\"end\"\n" OURS("600") "LABEL=\"end\"\n", "600",
	  2 },
	{ "ATTR{vendor}!=\"NETAPP\", GOTO=\"end\"\nATTR{timeout}=\"60\"\nLABEL=\"end\"\n", NULL,
	  0 },
	{ "SUBSYSTEM!=\"block\", GOTO=\"end\"\nATTR{timeout}=\"60\"\nLABEL=\"end\"\n" OURS("600"),
	  "600", 4 },
	{ "SUBSYSTEMS!=\"scsi\", GOTO=\"end\"\nATTR{timeout}=\"60\"\nLABEL=\"end\"\n", NULL, 0 },
	{ "GOTO=\"end\"\nATTR{timeout}=\"60\"\nLABEL=\"end\", ATTR{timeout}=\"5\"\n", "5", 3 },
	{ "LABEL=\"end\"\nGOTO=\"end\"\n" OURS("600"), "600", 3 },
	{ "GOTO=\"a\"\n" OURS("5") "LABEL=\"b\"\n" OURS("6") "LABEL=\"a\"\nLABEL=\"b\"\n", NULL,
	  0 },
	/* values that udev or a shell fills in are unknown */
	{ "ATTR{timeout}=\"$env{SECONDS}\"\n", NULL, 0 },
	{ "ATTRS{model}==\"Storage Gateway\", RUN+=\"/bin/sh -c 'echo $$(cat /x) "
	  ">/sys%p/timeout'\"\n",
	  NULL, 0 },
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
	  OUT "the line that it promises was missing\n# SUBSYSTEM==\"block\", \\\n" OURS("600") },
	{ "what would win over ours is commented out", "# a\n" CONDITION "\\\n" SHELL("5") "# b\n",
	  "# a\n" RIVAL "# " CONDITION "\\\n# " SHELL("5") "# b\n" OURS("600") },
	{ "AWS's unfilled one", AWS_UNFILLED,
	  CONDITION "\n" RIVAL "# " SHELL("[timeout]") OURS("600") },
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
	  RIVAL "# " CONDITION SHELL("5") },
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
	const char *mended; /* what rule_mend makes of it; NULL: nothing */
};

#define GUARD "ATTRS{vendor}!=\"NETAPP*\", GOTO=\"netapp_end\"\n"

static const struct lint_row lint_rows[] = {
	{ OURS("600"), 0, 0, 0, NULL, NULL },
	{ "# a\n" AWS "# b\n", 2, 3, SEVERITY_CRITICAL,
	  "every device (line 2, its condition, ends without a backslash)",
	  "# a\n" EVERYWHERE "# " CONDITION "\n# " SHELL("600") "# b\n" },
	{ AWS_UNFILLED, 2, 2, SEVERITY_CRITICAL, "[timeout], which the kernel takes for 0",
	  EVERYWHERE "# " CONDITION "\n# " SHELL("[timeout]") },
	{ RHEL5, 1, 2, SEVERITY_CRITICAL, "every device (line 1, its condition",
	  EVERYWHERE "# " SYSFS "\\ \n# " SHELL("600") },
	{ SYSFS "\\\n" SHELL("[timeout]"), 1, 1, SEVERITY_ERROR,
	  "never filled in, and udev ignores this rule: SYSFS is no key",
	  UNFILLED "# " SYSFS "\\\n# " SHELL("[timeout]") },
	{ SYSFS "\\\n" SHELL("600"), 1, 1, SEVERITY_WARNING, "SYSFS is no key of udev's", NULL },
	{ CONDITION "\\ \n" SHELL("600"), 2, 2, SEVERITY_CRITICAL, "(line 1, its condition",
	  EVERYWHERE "# " CONDITION "\\ \n# " SHELL("600") },
	{ CONDITION "\r\nRUN+=\"/bin/sh -c 'echo 600 > /sys$$DEVPATH/timeout'\"\r\n", 2, 2,
	  SEVERITY_CRITICAL, "every device",
	  OUT "it ran for every device, not only for a gateway's disks\r\n# " CONDITION
	      "\r\n# RUN+=\"/bin/sh -c 'echo 600 > /sys$$DEVPATH/timeout'\"\r\n" },
	/* the line ahead is somebody else's: it stays, and so does what a blank line parts */
	{ "KERNEL==\"sdz\", NAME=\"z\"\n" SHELL("600"), 1, 2, SEVERITY_CRITICAL, "every device",
	  "KERNEL==\"sdz\", NAME=\"z\"\n" EVERYWHERE "# " SHELL("600") },
	{ "NEWER{key}==\"x\"\n" SHELL("600"), 1, 2, SEVERITY_CRITICAL, "every device and",
	  "NEWER{key}==\"x\"\n" EVERYWHERE "# " SHELL("600") },
	{ CONDITION "\n\n" SHELL("600"), 2, 3, SEVERITY_CRITICAL, "line 1, its condition",
	  CONDITION "\n\n" EVERYWHERE "# " SHELL("600") },
	{ AWS "# between\n" AWS_UNFILLED, 4, 5, SEVERITY_CRITICAL, "every device",
	  EVERYWHERE "# " CONDITION "\n# " SHELL("600") "# between\n" EVERYWHERE "# " CONDITION
							"\n# " SHELL("[timeout]") },
	{ AWS "# between\n" AWS AWS, 6, 7, SEVERITY_CRITICAL, "every device",
	  EVERYWHERE "# " CONDITION "\n# " SHELL("600") "# between\n" EVERYWHERE "# " CONDITION
							"\n# " SHELL("600") EVERYWHERE
	  "# " CONDITION "\n# " SHELL("600") },
	{ CONDITION "\n", 1, 1, SEVERITY_WARNING, "nothing to do", NULL },
	{ CONDITION SHELL("600"), 1, 1, SEVERITY_WARNING, "starts a shell", NULL },
	{ CONDITION SHELL("[timeout]"), 1, 1, SEVERITY_ERROR, "no number",
	  UNFILLED "# " CONDITION SHELL("[timeout]") },
	{ CONDITION SHELL("ten"), 1, 1, SEVERITY_ERROR, "\"ten\" is no number",
	  NO_NUMBER "# " CONDITION SHELL("ten") },
	{ CONDITION SHELL("$env{SECONDS}"), 1, 1, SEVERITY_WARNING, "starts a shell", NULL },
	{ OURS("[timeout]"), 1, 1, SEVERITY_ERROR, "no number", UNFILLED "# " OURS("[timeout]") },
	{ CONDITION "RUN+=\"/bin/sh -c 'echo 600 > /sys/block/[device name]/device/timeout'\"\n", 1,
	  1, SEVERITY_ERROR, "never filled in",
	  UNFILLED "# " CONDITION
		   "RUN+=\"/bin/sh -c 'echo 600 > /sys/block/[device name]/device/timeout'\"\n" },
	{ "sudo su -c \"echo 600 > /sys/block/[device name]/device/timeout\"\n", 1, 1,
	  SEVERITY_ERROR, "sudo is followed by no operator",
	  UNFILLED "# sudo su -c \"echo 600 > /sys/block/[device name]/device/timeout\"\n" },
	{ "SYSFS{model}==\"Storage Gateway\", ATTR{timeout}=\"600\"\n", 1, 1, SEVERITY_WARNING,
	  "SYSFS is no key of udev's; ATTR{", NULL },
	{ "DEVTYPE==\"scsi_device\", ATTR{timeout}=\"600\"\n", 1, 1, SEVERITY_WARNING,
	  "ENV{DEVTYPE} is meant", NULL },
	/* with a condition for all of SCSI somebody may have meant it */
	{ "SUBSYSTEM==\"scsi\", ATTR{timeout}=\"600\"\n", 1, 1, SEVERITY_CRITICAL,
	  "every SCSI device", NULL },
	{ "SUBSYSTEM==\"scsi\", ATTR{timeout}=\"[timeout]\"\n", 1, 1, SEVERITY_CRITICAL,
	  "takes for 0", UNFILLED "# SUBSYSTEM==\"scsi\", ATTR{timeout}=\"[timeout]\"\n" },
	{ "SUBSYSTEM==\"scsi\", ATTR{type}==\"0|7|14\", ATTR{timeout}=\"180\"\n", 1, 1,
	  SEVERITY_WARNING, "every SCSI disk", NULL },
	{ "SUBSYSTEM==\"scsi\", ATTR{type}==\"0|7|14\", ATTR{timeout}=\"[timeout]\"\n", 1, 1,
	  SEVERITY_ERROR, "no number",
	  UNFILLED "# SUBSYSTEM==\"scsi\", ATTR{type}==\"0|7|14\", ATTR{timeout}=\"[timeout]\"\n" },
	{ "KERNEL==\"sd*\", SUBSYSTEM==\"block\", ATTR{device/timeout}=\"180\"\n", 1, 1,
	  SEVERITY_WARNING, "every SCSI disk", NULL },
	/* rules of others for their own disks, guarded by a GOTO too */
	{ "ATTRS{vendor}==\"VMware*\", ATTRS{model}==\"Virtual disk*\", "
	  "RUN+=\"/bin/sh -c 'echo 180 >/sys$DEVPATH/device/timeout'\"\n",
	  0, 0, 0, NULL, NULL },
	{ GUARD SHELL("60") "LABEL=\"netapp_end\"\n", 0, 0, 0, NULL, NULL },
	{ GUARD SHELL("60") "LABEL=\"netapp_end\"\n" AWS, 2, 5, SEVERITY_CRITICAL, "every device",
	  GUARD SHELL("60") "LABEL=\"netapp_end\"\n" EVERYWHERE "# " CONDITION
			    "\n# " SHELL("600") },
	{ "GOTO=\"missing\"\n" SHELL("60"), 1, 2, SEVERITY_CRITICAL, "every device",
	  "GOTO=\"missing\"\n" EVERYWHERE "# " SHELL("60") },
	{ "SUBSYSTEM==\"watchdog\", ATTR{timeout}=\"abc\"\nOPTIONS+=\"event_timeout=180\"\n", 0, 0,
	  0, NULL, NULL },
	{ "KERNEL==\"sda\", SYMLINK+=\"x\"\nFOO==\"bar\"\nSUBSYSTEM==\"net\"\n", 0, 0, 0, NULL,
	  NULL },
	{ "SUBSYSTEM==\"scsi\", ATTR{timeout}=600\n", 1, 1, SEVERITY_WARNING,
	  "ATTR has no value in double quotes", NULL },
	{ "SUBSYSTEM==\"scsi\", ATTR{timeout}=\"600\" \\", 1, 1, SEVERITY_WARNING,
	  "a further line is missing", NULL },
	/* what lies behind a GOTO that goes */
	{ "GOTO=\"a\", ATTR{timeout}=\"x\"\n" SHELL("y") "LABEL=\"a\"\n", 1, 1, SEVERITY_CRITICAL,
	  "every device",
	  EVERYWHERE "# GOTO=\"a\", ATTR{timeout}=\"x\"\n" EVERYWHERE "# " SHELL("y") "LABEL="
										      "\"a\"\n" },
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
		    !seen.last.harm != !row->mended ||
		    (row->words && !strstr(seen.last.text, row->words)))
			fail_msg("%s: %u, line %u, severity %d: %s", row->text, seen.count,
				 seen.last.line, seen.last.severity, seen.last.text);
		type->free(doc);
	}
}

static char *text_of(const struct document *doc)
{
	struct buf out = { 0 };
	struct err err = { 0 };

	assert_int_equal(type->write(doc, &out, &err), 0);
	return buf_take(&out);
}

static int put_back(const char *key, const char *value, unsigned line, void *ctx)
{
	struct err err = { 0 };

	(void)line;
	return document_other_rules.set(ctx, key, value, &err) < 0;
}

static void what_does_harm_is_commented_out_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lint_rows); i++) {
		const struct lint_row *row = &lint_rows[i];
		struct document *before = parse(row->text), *doc = parse(row->text);
		CLEANUP(free_ptr) char *mended = NULL, *back = NULL;
		struct err err = { 0 };

		if ((rule_mend(doc, &err) > 0) != (row->mended != NULL))
			fail_msg("%s: %s", row->text, err.reason);
		mended = text_of(doc);
		assert_string_equal(mended, row->mended ? row->mended : row->text);
		assert_int_equal(rule_mend(doc, &err), 0);
		/* behind an edit of somebody else's */
		assert_int_equal(document_other_rules.each(before, put_back, doc), 0);
		back = text_of(doc);
		if (strncmp(row->text, "GOTO=\"a\"", 8) != 0)
			assert_string_equal(back, row->text);
		type->free(before);
		type->free(doc);
	}
}

static void a_comment_that_others_changed_stays(void **state)
{
	static const char *const texts[] = {
		"# " SHELL("600"), /* without its mark */
		EVERYWHERE "\n# " SHELL("600"),
		EVERYWHERE "# " SHELL("60"),
		EVERYWHERE,
		"",
	};
	static const char shell[] = SHELL("600");
	CLEANUP(buf_done) struct buf key = { 0 };

	(void)state;
	buf_add(&key, shell, sizeof(shell) - 2);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct document *doc = parse(texts[i]);
		struct err err = { 0 };

		assert_int_equal(document_other_rules.set(doc, buf_text(&key), "", &err), -ENOENT);
		assert_non_null(strstr(err.reason, "is gone"));
		assert_int_equal(document_other_rules.unset(doc, buf_text(&key), &err), -EINVAL);
		assert_text(doc, texts[i]);
		type->free(doc);
	}
}

static int collect(const char *key, const char *value, unsigned line, void *ctx)
{
	struct document_setting *setting = ctx;

	(void)line;
	while (setting->key)
		setting++;
	*setting = (struct document_setting){ .key = strdup(key), .value = value, .result = 7 };
	return 0;
}

#define EQUAL "SUBSYSTEM==\"scsi\", ATTR{timeout}=\"[timeout]\"\n"

/* Equal ones, one that begins like another, one that stands, one whose comment is gone. */
static void many_rules_come_back_at_once(void **state)
{
	static const char text[] = EQUAL AWS_UNFILLED SHELL("[timeout]") EQUAL SHELL("5");
	struct document_setting settings[8] = { { 0 } };
	struct document *before = parse(text), *doc = parse(text), *edited;
	CLEANUP(buf_done) struct buf now = { 0 };
	CLEANUP(free_ptr) char *mended = NULL;
	struct err err = { 0 };
	const char *gone;

	(void)state;
	assert_int_equal(document_other_rules.each(before, collect, settings), 0);
	assert_int_equal(rule_mend(doc, &err), 5);
	mended = text_of(doc);
	gone = strstr(mended, EVERYWHERE "# " SHELL("5"));
	assert_non_null(gone);
	buf_add(&now, mended, (size_t)(gone - mended));
	buf_adds(&now, EQUAL); /* others made one of the equal ones a rule again */
	edited = parse(buf_text(&now));
	assert_int_equal(document_other_rules.set_all(edited, settings, 5, &err), 0);
	for (size_t i = 0; i < 5; i++) {
		const char *key = settings[i].key;
		int should = strcmp(key, settings[0].key) == 0 ? 0
			     : strstr(key, "echo 5 ")	       ? -ENOENT
							       : 1;

		if (settings[i].result != should)
			fail_msg("%s: %d", key, settings[i].result);
	}
	for (size_t i = 0; i < 5; i++)
		free((char *)settings[i].key);
	assert_text(edited, EQUAL AWS_UNFILLED SHELL("[timeout]") UNFILLED "# " EQUAL EQUAL);
	type->free(before);
	type->free(doc);
	type->free(edited);
}

struct outcome_row {
	const char *text;
	const char *value; /* NULL: none */
	unsigned line, turn;
};

static const struct outcome_row outcome_rows[] = {
	{ "", NULL, 0, 0 },
	{ "ATTRS{vendor}==\"NETAPP\", ATTR{timeout}=\"60\"\n", NULL, 0, 0 },
	{ "ACTION==\"add|change\", SUBSYSTEM==\"scsi\", ATTR{vendor}==\"Amazon*\", "
	  "ATTR{timeout}=\"30\"\n",
	  "30", 1, 0 },
	{ "ATTRS{vendor}==\"Amazon  \", ATTR{timeout}=\"30\"\n", "30", 1, 0 },
	{ "SUBSYSTEM==\"block\", ENV{ID_VENDOR}==\"Amazon\", ATTR{device/timeout}=\"30\"\n", "30",
	  1, 2 },
	{ "KERNEL==\"sd*\", ENV{ID_MODEL}==\"Storage_*\", ATTR{device/timeout}=\"30\"\n", "30", 1,
	  2 },
	{ "KERNEL==\"sd*\", ATTR{device/vendor}==\"Amazon\", ATTR{device/timeout}=\"30\"\n", "30",
	  1, 2 },
	{ "ENV{ID_VENDOR}==\"NETAPP\", ATTR{device/timeout}=\"30\"\n", NULL, 0, 0 },
	{ "\n" OURS("60"), "60", 2, 0 },
	{ CONDITION SHELL("60") OURS("600"), "60", 1, 1 },
	{ "SUBSYSTEM==\"block\", ATTRS{model}==\"Storage Gateway\", ATTR{device/timeout}=\"6\"\n",
	  "6", 1, 2 },
};

static void tells_what_a_file_does_to_a_gateways_disks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(outcome_rows); i++) {
		const struct outcome_row *row = &outcome_rows[i];
		struct document *doc = parse(row->text);
		struct rule_outcome outcome;

		assert_int_equal(rule_outcome(doc, &outcome), row->value != NULL);
		if (row->value && (strcmp(outcome.value, row->value) != 0 ||
				   outcome.line != row->line || outcome.turn != row->turn))
			fail_msg("%s: %s, line %u, turn %u", row->text, outcome.value, outcome.line,
				 outcome.turn);
		type->free(doc);
	}
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
		cmocka_unit_test(what_does_harm_is_commented_out_and_back),
		cmocka_unit_test(a_comment_that_others_changed_stays),
		cmocka_unit_test(many_rules_come_back_at_once),
		cmocka_unit_test(tells_what_a_file_does_to_a_gateways_disks),
		cmocka_unit_test(refuses_what_is_no_text),
	};

	return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
