/* SPDX-License-Identifier: MIT */
#include "documents/open_iscsi.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "documents/document.h"
#include "err.h"
#include "open_iscsi_rows.h"
#include "os/files.h"

static const struct document_type *const type = &document_open_iscsi;

static struct document *parse_bytes(const char *text, size_t len)
{
	struct document *doc = NULL;
	struct err err = { 0 };

	if (type->parse(&doc, text, len, &err) < 0)
		fail_msg("\"%.200s\": %s", text, err.reason);
	return doc;
}

static struct document *parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void assert_text(const struct document *doc, const char *expected, const char *row)
{
	CLEANUP(buf_done) struct buf out = { 0 };
	struct err err = { 0 };

	assert_int_equal(type->write(doc, &out, &err), 0);
	if (strcmp(buf_text(&out), expected) != 0)
		fail_msg("%s: got\n%s\nnot\n%s", row, buf_text(&out), expected);
}

static void reads_as_open_iscsi_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(grammar_rows); i++) {
		const struct grammar_row *row = &grammar_rows[i];
		struct document *doc = parse(row->text);
		unsigned line = 99;
		const char *value = type->get(doc, row->key, &line);

		if (!value != !row->value || (value && strcmp(value, row->value) != 0))
			fail_msg("\"%s\": %s, not %s", row->text, value ? value : "nothing",
				 row->value ? row->value : "nothing");
		assert_int_equal(line == 0, value == NULL);
		type->free(doc);
	}
}

struct edit_row {
	const char *name, *before, *key, *value, *after;
};

static const struct edit_row set_rows[] = {
	{ "in effect already", TIMEOUT " = 600\n", TIMEOUT, "600", NULL },
	{ "in effect, with a note", TIMEOUT " = 600 # ours\n", TIMEOUT, "600", NULL },
	{ "in effect, overriding", TIMEOUT " = 5\n" TIMEOUT " = 600\n", TIMEOUT, "600", NULL },
	{ "replaced in place", "a = 1\n" TIMEOUT " = 120\nb = 2\n", TIMEOUT, "600",
	  "a = 1\n" TIMEOUT " = 600\nb = 2\n" },
	{ "spacing stays", "\t" TIMEOUT "\t =120  \n", TIMEOUT, "600", "\t" TIMEOUT "\t =600  \n" },
	{ "a number's note stays", TIMEOUT " = 120  # was 5\n", TIMEOUT, "600",
	  TIMEOUT " = 600  # was 5\n" },
	{ "junk behind a number goes", TIMEOUT " = 120#5\n", TIMEOUT, "600", TIMEOUT " = 600\n" },
	{ "a text's note is its value", USER " = a # b\n", USER, "c", USER " = c\n" },
	{ "CRLF stays", TIMEOUT " = 120\r\nb = 2\r\n", TIMEOUT, "600",
	  TIMEOUT " = 600\r\nb = 2\r\n" },
	{ "one = too many", TIMEOUT " == 120\n", TIMEOUT, "600", TIMEOUT " =600\n" },
	{ "earlier duplicates are commented out", " " TIMEOUT " = 1\nb = 2\n" TIMEOUT " = 3\n",
	  TIMEOUT, "600", "#  " TIMEOUT " = 1\nb = 2\n" TIMEOUT " = 600\n" },
	{ "k=v is repaired", "  " TIMEOUT "=120 \nb = 2\n", TIMEOUT, "600",
	  "  " TIMEOUT " = 600 \nb = 2\n" },
	{ "k= v is repaired", TIMEOUT "= 600\r\n", TIMEOUT, "600", TIMEOUT " = 600\r\n" },
	{ "k v is repaired", TIMEOUT " 600\n", TIMEOUT, "600", TIMEOUT " = 600\n" },
	{ "k = is completed", USER " =\n", USER, "a", USER " = a\n" },
	{ "k is completed", USER "\n", USER, "a", USER " = a\n" },
	{ "the line in effect is taken, ignored ones are commented out",
	  TIMEOUT "=1\n" TIMEOUT " = 2\n" TIMEOUT "=600\n", TIMEOUT, "600",
	  "# " TIMEOUT "=1\n" TIMEOUT " = 600\n# " TIMEOUT "=600\n" },
	{ "of ignored ones the last", TIMEOUT "=1\n" TIMEOUT "=2\n", TIMEOUT, "600",
	  "# " TIMEOUT "=1\n" TIMEOUT " = 600\n" },
	{ "an unknown word is replaced", R2T " = yes\n", R2T, "Yes", R2T " = Yes\n" },
	{ "a byte order mark goes", "\xef\xbb\xbf" TIMEOUT " = 120\n", TIMEOUT, "600",
	  TIMEOUT " = 600\n" },
	{ "a missing newline comes back", "b = 2\n" TIMEOUT " = 600", TIMEOUT, "600",
	  "b = 2\n" TIMEOUT " = 600\n" },
	{ "as CRLF where that is the use", "b = 2\r\n" TIMEOUT " = 600", TIMEOUT, "600",
	  "b = 2\r\n" TIMEOUT " = 600\r\n" },
	{ "a commented-out default stays", "b = 2\n# " TIMEOUT " = 120\nc = 3\n", TIMEOUT, "600",
	  "b = 2\n# " TIMEOUT " = 120\n" TIMEOUT " = 600\nc = 3\n" },
	{ "also without a blank", "#" TIMEOUT "=120\r\nc = 3\r\n", TIMEOUT, "600",
	  "#" TIMEOUT "=120\r\n" TIMEOUT " = 600\r\nc = 3\r\n" },
	{ "after the last of several", "# " USER " = a\n\n#" USER " = b\nc = 3\n", USER, "u",
	  "# " USER " = a\n\n#" USER " = b\n" USER " = u\nc = 3\n" },
	{ "prose is no default", "# " TIMEOUT " * 3 = 120 s\nc = 3\n", TIMEOUT, "600",
	  "# " TIMEOUT " * 3 = 120 s\nc = 3\n" TIMEOUT " = 600\n" },
	{ "a default at the very end", "#" TIMEOUT " = 120", TIMEOUT, "600",
	  "#" TIMEOUT " = 120\n" TIMEOUT " = 600\n" },
	{ "no trace of it: at the end", "a = 1\n\n", TIMEOUT, "600",
	  "a = 1\n\n" TIMEOUT " = 600\n" },
	{ "behind a line without newline", "a = 1", TIMEOUT, "600", "a = 1\n" TIMEOUT " = 600\n" },
	{ "an end mark without newline is whole", "node.name = iqn.x:y\n# END RECORD", TIMEOUT,
	  "600", "node.name = iqn.x:y\n" TIMEOUT " = 600\n# END RECORD\n" },
	{ "into an empty file", "", TIMEOUT, "600", TIMEOUT " = 600\n" },
	{ "a record's end mark stays last", "# BEGIN RECORD 2.1.8\n# END RECORD\n", TIMEOUT, "600",
	  "# BEGIN RECORD 2.1.8\n" TIMEOUT " = 600\n# END RECORD\n" },
	{ "a record keeps iscsiadm's order",
	  "# BEGIN RECORD 2.1.8\nnode.name = iqn.x:y\nnode.session.auth.authmethod = None\n" TIMEOUT
	  " = 120\n# END RECORD\n",
	  USER, "u",
	  "# BEGIN RECORD 2.1.8\nnode.name = iqn.x:y\nnode.session.auth.authmethod = None\n" USER
	  " = u\n" TIMEOUT " = 120\n# END RECORD\n" },
	{ "a key nobody knows goes to a record's end", "node.name = iqn.x:y\n# END RECORD\n",
	  "node.new", "1", "node.name = iqn.x:y\nnode.new = 1\n# END RECORD\n" },
};

static void writes_only_the_lines_that_must_change(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(set_rows); i++) {
		const struct edit_row *row = &set_rows[i];
		struct document *doc = parse(row->before);
		struct err err = { 0 };
		int rc = type->set(doc, row->key, row->value, &err);

		if (rc != (row->after ? 1 : 0))
			fail_msg("%s: set returned %d: %s", row->name, rc, err.reason);
		assert_text(doc, row->after ? row->after : row->before, row->name);
		assert_string_equal(type->get(doc, row->key, NULL), row->value);
		assert_int_equal(type->set(doc, row->key, row->value, &err), 0);
		type->free(doc);
	}
}

static const struct edit_row unset_rows[] = {
	{ "absent", "a = 1\n", TIMEOUT, NULL, NULL },
	{ "ignored anyway", TIMEOUT "=1\n", TIMEOUT, NULL, NULL },
	{ "our line goes", "a = 1\n#" TIMEOUT " = 120\n" TIMEOUT " = 600\nb = 2\n", TIMEOUT, NULL,
	  "a = 1\n#" TIMEOUT " = 120\nb = 2\n" },
	{ "all that are read go", TIMEOUT " = 1\nb = 2\n" TIMEOUT " = 600\n" TIMEOUT "=3\n",
	  TIMEOUT, NULL, "b = 2\n" TIMEOUT "=3\n" },
	{ "the rest stays to the byte", TIMEOUT " = 1\r\n\tb=2", TIMEOUT, NULL, "\tb=2" },
};

static void unset_takes_the_line_away(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(unset_rows); i++) {
		const struct edit_row *row = &unset_rows[i];
		struct document *doc = parse(row->before);
		struct err err = { 0 };

		assert_int_equal(type->unset(doc, row->key, &err), row->after ? 1 : 0);
		assert_text(doc, row->after ? row->after : row->before, row->name);
		assert_null(type->get(doc, row->key, NULL));
		type->free(doc);
	}
}

struct refused_row {
	const char *key, *value, *reason;
};

static const struct refused_row refused_rows[] = {
	{ "", "1", "a key of 0 bytes" },
	{ X128, "1", "a key of 128 bytes" },
	{ "a b", "1", "does not take for part of a key" },
	{ "a=b", "1", "does not take for part of a key" },
	{ "a\n", "1", "does not take for part of a key" },
	{ "#a", "1", "not one of idbm's" },
	{ "iscsid.startup", "x", "not one of idbm's" },
	{ USER, "", "a value of 0 bytes" },
	{ USER, X255 "x", "a value of 256 bytes" },
	{ USER, "a\nb", "control character at byte 2" },
	{ USER, "a\tb", "control character" },
	{ USER, "a\x7f", "control character" },
	{ USER, " a", "begins or ends with a blank" },
	{ USER, "a ", "begins or ends with a blank" },
	{ TIMEOUT, "ten", "would read \"ten\" as 0" },
	{ TIMEOUT, "600s", "would read \"600s\" as 600" },
	{ TIMEOUT, "4294967896", "as 600" },
	{ R2T, "yes", "none of No|Yes" },
	{ ALGS, "MD5,MD4", "none of MD5" },
};

static void refuses_what_would_be_misread(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused_rows); i++) {
		const struct refused_row *row = &refused_rows[i];
		struct document *doc = parse("a = 1\n");
		struct err err = { 0 };

		if (type->set(doc, row->key, row->value, &err) != -EINVAL ||
		    !strstr(err.reason, row->reason))
			fail_msg("%s = \"%s\": %s", row->key, row->value, err.reason);
		assert_text(doc, "a = 1\n", row->reason);
		type->free(doc);
	}
}

static void a_refused_secret_is_not_shown(void **state)
{
	static const char *const secrets[] = { "geheim\n", " geheim", "geheim" X255 };
	struct document *doc = parse("");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		struct err err = { 0 };

		assert_int_equal(type->set(doc, "node.session.auth.password", secrets[i], &err),
				 -EINVAL);
		assert_null(strstr(err.reason, "geheim"));
	}
	type->free(doc);
}

static void a_line_that_would_grow_too_long_is_refused(void **state)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct document *doc;
	struct err err = { 0 };

	(void)state;
	buf_adds(&text, "a = 1\n" USER " =");
	while (text.len < 6 + OPEN_ISCSI_LINE_MAX - 1)
		buf_add(&text, " ", 1);
	buf_adds(&text, "u\n");
	doc = parse(buf_text(&text));
	assert_string_equal(type->get(doc, USER, NULL), "u");
	assert_int_equal(type->set(doc, USER, "v", &err), 1);
	assert_int_equal(type->set(doc, USER, "vv", &err), -EINVAL);
	assert_non_null(strstr(err.reason, "line 2 would grow to 2047 bytes"));
	assert_string_equal(type->get(doc, USER, NULL), "v");
	type->free(doc);
}

struct unreadable_row {
	const char *text;
	size_t len; /* 0: strlen */
	const char *reason;
};

static const struct unreadable_row unreadable_rows[] = {
	{ "a = 1\nb\0 = 2\n", 13, "line 2: a NUL byte" },
	{ "a = 1\n#" X2032 "xxxxxxxxxxxxxx\n", 0, "line 2: 2047 bytes" },
	{ X128 " = 1\n", 0, "line 1: a key of 128 bytes" },
	{ X128 "\n", 0, "line 1: a key of 128 bytes" },
	{ "\n\na = " X255 "x\n", 0, "line 3: a value of 256 bytes" },
	{ "a = 1\nnode.session.ti", 0, "line 2: the file ends within this line" },
	{ "a = 1\nnode.session.timeo.replacement_timeout =", 0, "line 2: the file ends" },
	{ "a = 1\n# To specify the ti", 0, "line 2: the file ends" },
	{ "a = 1\n#", 0, "line 2: the file ends" },
	{ "# BEGIN RECORD 2.1.8\nnode.name = iqn.x:y\n# END REC", 0, "line 3: the file ends" },
};

static void refuses_what_cannot_be_edited_safely(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(unreadable_rows); i++) {
		const struct unreadable_row *row = &unreadable_rows[i];
		struct document *doc = NULL;
		struct err err = { 0 };

		assert_int_equal(
			type->parse(&doc, row->text, row->len ? row->len : strlen(row->text), &err),
			-EINVAL);
		if (strncmp(err.reason, row->reason, strlen(row->reason)) != 0)
			fail_msg("%s, not %s", err.reason, row->reason);
	}
}

struct lint_row {
	const char *text;
	unsigned line; /* 0: nothing to say */
	bool ours;
	enum severity severity;
	const char *key, *words;
};

static const struct lint_row lint_rows[] = {
	{ "# " TIMEOUT " = 120\n" TIMEOUT " = 600 # note\n", 0, false, 0, "", "" },
	{ "iscsid.startup=/bin/true\niscsid.safe_logout = Yes", 0, false, 0, "", "" },
	{ "[settings]\n", 1, false, SEVERITY_WARNING, "", "no value follows" },
	{ "a = 1\n", 1, false, SEVERITY_INFO, "", "no such key" },
	{ "\n" TIMEOUT "=600\n", 2, true, SEVERITY_WARNING, TIMEOUT, "blank is missing" },
	{ R2T "=Yes\n", 1, false, SEVERITY_WARNING, R2T, "blank is missing" },
	{ TIMEOUT " 600\n", 1, true, SEVERITY_WARNING, TIMEOUT, "no '='" },
	{ TIMEOUT " =\n", 1, true, SEVERITY_WARNING, TIMEOUT, "no value" },
	{ TIMEOUT " = 600", 1, true, SEVERITY_WARNING, TIMEOUT, "without a newline" },
	{ "\xef\xbb\xbf" TIMEOUT " = 600\n", 1, true, SEVERITY_WARNING, TIMEOUT,
	  "byte order mark" },
	{ TIMEOUT " == 600\n", 1, true, SEVERITY_WARNING, TIMEOUT, "one '=' is too many" },
	{ TIMEOUT " = ten\n", 1, true, SEVERITY_WARNING, TIMEOUT, "reads \"ten\" as 0" },
	{ TIMEOUT " = 0x258\n", 1, true, SEVERITY_WARNING, TIMEOUT, "hexadecimal" },
	{ TIMEOUT " = \"600\"\n", 1, true, SEVERITY_WARNING, TIMEOUT, "quotes" },
	{ TIMEOUT " = 600s\n", 1, true, SEVERITY_WARNING, TIMEOUT, "as 600: what follows" },
	{ TIMEOUT " = 4294967896\n", 1, true, SEVERITY_WARNING, TIMEOUT, "does not fit" },
	{ TIMEOUT " = -99999999999999999999\n", 1, true, SEVERITY_WARNING, TIMEOUT, "as -1" },
	{ TIMEOUT " = 0600\n" R2T " = Yes\n", 0, false, 0, "", "" },
	{ R2T " = yes\n", 1, false, SEVERITY_WARNING, R2T, "\"yes\" is none of No|Yes" },
	{ R2T " = Yes # x\n", 1, false, SEVERITY_WARNING, R2T, "a note must stand" },
	{ ALGS " = MD5,SHA4\n", 1, false, SEVERITY_WARNING, ALGS, "drops what it does not know" },
	{ USER " = \"a\"\n", 1, false, SEVERITY_WARNING, USER, "quotes are part" },
	{ USER " = a # b\n", 1, false, SEVERITY_WARNING, USER, "part of the value" },
	{ TIMEOUT " = 5\nb\n", 2, false, SEVERITY_WARNING, "", "no value" },
	{ TIMEOUT " = 5\n" TIMEOUT " = 600\n", 1, true, SEVERITY_WARNING, TIMEOUT,
	  "line 2 sets the same key" },
	{ TIMEOUT " = 5\n" TIMEOUT " = 5\n", 0, false, 0, "", "" },
	{ "node.session.timeo.Replacement_Timeout = 600\n", 1, true, SEVERITY_WARNING, TIMEOUT,
	  "did you mean " TIMEOUT },
	{ "node.session.timeo.replacment_timeout = 600\n", 1, true, SEVERITY_WARNING, TIMEOUT,
	  "did you mean " TIMEOUT },
	{ "node.session.timeo.repalcement_timeout=600\n", 1, true, SEVERITY_WARNING, TIMEOUT,
	  "did you mean " TIMEOUT },
	{ "node.timeo.replacement_timeout = 600\n", 1, true, SEVERITY_WARNING, TIMEOUT,
	  "did you mean " TIMEOUT },
	{ "node.session.scam = auto\n", 1, false, SEVERITY_WARNING, "node.session.scan",
	  "did you mean node.session.scan" },
	{ "node.name = iqn.x:y\nnode.foo = 1\n# END RECORD\n", 2, false, SEVERITY_WARNING, "",
	  "iscsiadm -m node lists no record" },
	{ "# BEGIN RECORD 2.1.8\nnode.name = iqn.x:y\n", 1, false, SEVERITY_WARNING, "",
	  "end mark is missing" },
};

struct lint_seen {
	struct lint first;
	unsigned count;
};

static int keep_lint(const struct lint *lint, void *ctx)
{
	struct lint_seen *seen = ctx;

	if (seen->count++ == 0)
		seen->first = *lint;
	return 0;
}

static void lint_names_each_misread_form(void **state)
{
	static const char *const keys[] = { TIMEOUT, NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lint_rows); i++) {
		const struct lint_row *row = &lint_rows[i];
		struct document *doc = parse(row->text);
		struct lint_seen seen = { 0 };

		assert_int_equal(type->lint(doc, keys, keep_lint, &seen), 0);
		if (seen.count != (row->line > 0 ? 1 : 0) || seen.first.line != row->line ||
		    seen.first.ours != row->ours || seen.first.severity != row->severity ||
		    strcmp(seen.first.key, row->key) != 0 || !strstr(seen.first.text, row->words))
			fail_msg("\"%s\": %u of them, line %u, %s, severity %d, key \"%s\": %s",
				 row->text, seen.count, seen.first.line,
				 seen.first.ours ? "ours" : "others'", seen.first.severity,
				 seen.first.key, seen.first.text);
		type->free(doc);
	}
}

static int find_secret(const struct lint *lint, void *ctx)
{
	unsigned *count = ctx;

	(*count)++;
	assert_null(strstr(lint->text, "geheim"));
	assert_null(strstr(lint->key, "geheim"));
	return 0;
}

static void lint_never_shows_a_secret(void **state)
{
	static const char *const rows[] = {
		"node.session.auth.password=geheim\n",
		"node.session.auth.password geheim\n",
		"node.session.auth.password:geheim\n",
		"node.session.auth.password = \"geheim\"\n",
		"node.session.auth.password=\ngeheim\n",
		"node.session.auth.password_in = geheim # x\n",
		"Node.session.auth.password = geheim\n",
		"node.session.auth.password = geheim",
		"node.session.auth.password = geheim\nnode.session.auth.password = geheim2\n",
		"node.session.auth.passwordgeheim = 1\n",
		"geheim\n",
		"geheim = 1\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct document *doc = parse(rows[i]);
		unsigned count = 0;

		assert_int_equal(type->lint(doc, NULL, find_secret, &count), 0);
		if (count == 0)
			fail_msg("nothing said of \"%s\"", rows[i]);
		type->free(doc);
	}
}

static int add_pair(const char *key, const char *value, unsigned line, void *ctx)
{
	buf_addf(ctx, "%u:%s=%s;", line, key, value);
	return strcmp(key, "c") == 0 ? 7 : 0;
}

static void each_visits_what_is_in_effect(void **state)
{
	CLEANUP(buf_done) struct buf seen = { 0 };
	struct document *doc = parse("a = 1\nb = 2\na = 3\nb=4\n" TIMEOUT " = 5x\nc = 6\nd = 7\n");

	(void)state;
	assert_int_equal(type->each(doc, add_pair, &seen), 7);
	assert_string_equal(buf_text(&seen), "2:b=2;3:a=3;5:" TIMEOUT "=5;6:c=6;");
	type->free(doc);
}

static void knows_which_keys_are_secret(void **state)
{
	(void)state;
	assert_true(open_iscsi_is_secret("node.session.auth.password"));
	assert_true(open_iscsi_is_secret("node.session.auth.password_in"));
	assert_true(open_iscsi_is_secret("discovery.sendtargets.auth.password_in"));
	assert_false(open_iscsi_is_secret("node.session.auth.password_length"));
	assert_false(open_iscsi_is_secret("node.session.auth.username"));
}

struct first_row {
	const char *text, *value;
};

static const struct first_row first_rows[] = {
	{ "InitiatorName=iqn.x:a\n", "iqn.x:a" },
	{ "  InitiatorName = iqn.x:a  \r\n", "iqn.x:a" },
	{ "InitiatorName=iqn.x:a", "iqn.x:a" },
	{ "#InitiatorName=iqn.x:a\nInitiatorName=iqn.x:b\nInitiatorName=iqn.x:c\n", "iqn.x:b" },
	{ "InitiatorName=\nInitiatorName=iqn.x:b\n", "iqn.x:b" },
	{ "InitiatorName\nInitiatorName=iqn.x:b#c\n", "iqn.x:b#c" },
	{ "InitiatorAlias=iqn.x:a\n", NULL },
	{ "", NULL },
};

static void the_other_parser_takes_the_first_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(first_rows); i++) {
		const struct first_row *row = &first_rows[i];
		const char *value = NULL;
		size_t len =
			open_iscsi_first(row->text, strlen(row->text), "InitiatorName", &value);

		if (len != (row->value ? strlen(row->value) : 0) ||
		    (row->value && memcmp(value, row->value, len) != 0))
			fail_msg("\"%s\": %.*s", row->text, (int)len, value ? value : "");
	}
}

/* records DIR: write one node record a grammar row, for iscsiadm to read. */
static int write_records(const char *dir)
{
	char path[512];
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(grammar_rows); i++) {
		const struct grammar_row *row = &grammar_rows[i];
		const bool mark = strncmp(row->text, "\xef\xbb\xbf", 3) == 0; /* only ever first */
		CLEANUP(buf_done) struct buf text = { 0 };

		buf_addf(&text,
			 "%snode.name = iqn.x:row\nnode.tpgt = 1\n"
			 "node.conn[0].address = 10.0.0.1\nnode.conn[0].port = 3260\n"
			 "iface.iscsi_ifacename = default\niface.transport_name = tcp\n%s",
			 mark ? row->text : "", mark ? "" : row->text);
		snprintf(path, sizeof(path), "%s/%03zu.record", dir, i);
		if (file_write(path, text.data, text.len, 0600, &err) < 0)
			break;
		snprintf(path, sizeof(path), "%s/%03zu.expected", dir, i);
		text.len = 0;
		if (row->value)
			buf_addf(&text, "%s = %s\n", row->key, row->value);
		else
			buf_addf(&text, "%s\n", row->key);
		if (file_write(path, text.data, text.len, 0600, &err) < 0)
			break;
	}
	if (err.code != 0)
		err_print("test_open_iscsi", &err);
	return err.code != 0;
}

static int print_lint(const struct lint *lint, void *ctx)
{
	(void)ctx;
	printf("%u: %s\n", lint->line, lint->text);
	return 0;
}

/* set FILE KEY VALUE...: print the file with these values set; lint FILE: what is odd in it. */
static int edit_file(bool lint, char **argv)
{
	CLEANUP(buf_done) struct buf bytes = { 0 }, out = { 0 };
	struct document *doc = NULL;
	struct err err = { 0 };
	int rc = file_read(argv[0], DOCUMENT_SIZE_MAX, &bytes, &err);

	if (rc == 0)
		rc = type->parse(&doc, buf_text(&bytes), bytes.len, &err);
	for (argv++; rc >= 0 && argv[0] && argv[1]; argv += 2)
		rc = type->set(doc, argv[0], argv[1], &err);
	if (rc >= 0 && !lint)
		rc = type->write(doc, &out, &err);
	if (rc >= 0 && lint)
		type->lint(doc, NULL, print_lint, NULL);
	if (rc < 0)
		err_print("test_open_iscsi", &err);
	else
		fwrite(buf_text(&out), 1, out.len, stdout);
	type->free(doc);
	return rc < 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_as_open_iscsi_does),
		cmocka_unit_test(writes_only_the_lines_that_must_change),
		cmocka_unit_test(unset_takes_the_line_away),
		cmocka_unit_test(refuses_what_would_be_misread),
		cmocka_unit_test(a_refused_secret_is_not_shown),
		cmocka_unit_test(a_line_that_would_grow_too_long_is_refused),
		cmocka_unit_test(refuses_what_cannot_be_edited_safely),
		cmocka_unit_test(lint_names_each_misread_form),
		cmocka_unit_test(lint_never_shows_a_secret),
		cmocka_unit_test(each_visits_what_is_in_effect),
		cmocka_unit_test(knows_which_keys_are_secret),
		cmocka_unit_test(the_other_parser_takes_the_first_match),
	};

	if (argc == 3 && strcmp(argv[1], "records") == 0)
		return write_records(argv[2]);
	if (argc > 2 && (strcmp(argv[1], "set") == 0 || strcmp(argv[1], "lint") == 0))
		return edit_file(argv[1][0] == 'l', argv + 2);
	return cmocka_run_group_tests_name("open_iscsi", tests, NULL, NULL);
}
