/* SPDX-License-Identifier: MIT */
/* What stands behind the name of an action, by its kind. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "fault_actions.h"
#include "fault_rule.h"
#include "fault_words.h"
#include "gateway.h"
#include "iscsi/portal.h"
#include "iscsi/status.h"
#include "number.h"
#include "scsi.h"

#define HEX_DIGITS "0123456789abcdefABCDEF"

int fault_time_parse(const char *word, uint64_t min_ms, uint64_t *out_ms, struct err *err)
{
	int rc = parse_duration(word, 0, UINT64_MAX, out_ms, err);

	if (rc < 0 || (*out_ms >= min_ms && *out_ms <= FAULT_TIME_MAX_MS))
		return rc;
	return err_set(err, EINVAL, "%.64s is out of range: %s to 24h", word,
		       min_ms > 0 ? "1ms" : "0");
}

static int parse_time(struct fault_cursor *cursor, struct fault_args *args, struct err *err)
{
	char word[FAULT_WORD_MAX];
	int rc = fault_next_word(cursor, word, err);

	return rc < 0 ? rc : fault_time_parse(word, 1, &args->ms, err);
}

/* Status-Class and Status-Detail (RFC 7143, 11.13.5): 0x and four digits. */
static int parse_status(struct fault_cursor *cursor, struct fault_args *args, struct err *err)
{
	char word[FAULT_WORD_MAX];
	int rc = fault_next_word(cursor, word, err);

	if (rc < 0)
		return rc;
	if (strlen(word) != 6 || word[0] != '0' || word[1] != 'x' ||
	    strspn(word + 2, HEX_DIGITS) != 4)
		return err_set(err, EINVAL,
			       "'%.64s' is no status: 0x and four digits, as in 0x0202", word);
	args->code = (uint32_t)strtoul(word + 2, NULL, 16);
	if (args->code >> 8 == 0)
		return err_set(err, EINVAL, "%s is success, and refuses nothing", word);
	return 0;
}

/* One or two hexadecimal digits and what has to be behind them; NULL: it is something else. */
static const char *hex_byte(const char *p, char behind, uint32_t *out)
{
	size_t len = strspn(p, HEX_DIGITS);

	if (len < 1 || len > 2 || p[len] != behind)
		return NULL;
	*out = (uint32_t)strtoul(p, NULL, 16);
	return p + len + 1;
}

/* A status by its name, or sense data as KEY/ASC/ASCQ, which comes with CHECK CONDITION. */
static int parse_sense(struct fault_cursor *cursor, struct fault_args *args, struct err *err)
{
	static const struct {
		const char *name;
		uint8_t status;
	} statuses[] = {
		{ "busy", STATUS_BUSY },
		{ "task-set-full", STATUS_TASK_SET_FULL },
		{ "reservation-conflict", STATUS_RESERVATION_CONFLICT },
	};
	uint32_t key, code, qualifier;
	char word[FAULT_WORD_MAX];
	const char *p;
	int rc = fault_next_word(cursor, word, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		args->code = (uint32_t)statuses[i].status << 24;
		if (strcmp(statuses[i].name, word) == 0)
			return 0;
	}
	p = hex_byte(word, '/', &key);
	if (p && key <= 0xf)
		p = hex_byte(p, '/', &code);
	if (!p || key > 0xf || !hex_byte(p, '\0', &qualifier))
		return err_set(
			err, EINVAL,
			"'%.64s' is none of busy, task-set-full, reservation-conflict, and no "
			"sense data: KEY/CODE/QUALIFIER, as in 3/11/00",
			word);
	args->code = (uint32_t)STATUS_CHECK_CONDITION << 24 | key << 16 | code << 8 | qualifier;
	return 0;
}

/* The canonical text of a portal, tag and all. */
static int parse_portal(struct fault_cursor *cursor, struct fault_args *args, struct err *err)
{
	char word[FAULT_WORD_MAX], text[PORTAL_TEXT_MAX];
	struct portal portal;
	int rc = fault_next_word(cursor, word, err);

	if (rc == 0)
		rc = portal_parse(word, &portal, err);
	if (rc < 0)
		return rc;
	if (portal.tag == PORTAL_NO_TAG)
		portal.tag = PORTAL_GROUP_TAG;
	portal_text_tag(&portal, text);
	buf_adds(&args->text, text);
	return args->text.failed ? err_oom(err) : 0;
}

/* Where a login is sent, which has no tag (RFC 7143, 13.8), and maybe "permanently". */
static int parse_move(struct fault_cursor *cursor, struct fault_args *args, struct err *err)
{
	char word[FAULT_WORD_MAX], text[PORTAL_TEXT_MAX];
	struct fault_cursor behind;
	struct portal portal;
	int rc = fault_next_word(cursor, word, err);

	if (rc == 0)
		rc = portal_parse(word, &portal, err);
	if (rc < 0)
		return rc;
	if (portal.tag != PORTAL_NO_TAG)
		return err_set(err, EINVAL, "'%.64s' has a tag, and who is redirected is told none",
			       word);
	portal_text(&portal, text);
	buf_adds(&args->text, text);
	args->code = LOGIN_MOVED_TEMPORARILY;
	behind = *cursor;
	if (fault_next_word(&behind, word, err) == 0 && strcmp(word, "permanently") == 0) {
		args->code = LOGIN_MOVED_PERMANENTLY;
		*cursor = behind;
	}
	return args->text.failed ? err_oom(err) : 0;
}

/* The byte that an escape stands for, *p moved behind it; -1: it is none. */
static int unescape(const char **p)
{
	static const char names[] = "n\nr\rt\t0\0\\\\\"\"";
	const char *at = *p + 1;

	if (at[0] == 'x' && strspn(at + 1, HEX_DIGITS) >= 2) {
		const char digits[] = { at[1], at[2], '\0' };

		*p = at + 3;
		return (int)strtoul(digits, NULL, 16);
	}
	for (size_t i = 0; i + 1 < sizeof(names); i += 2) {
		if (*at != '\0' && names[i] == *at) {
			*p = at + 1;
			return (unsigned char)names[i + 1];
		}
	}
	return -1;
}

/* Bytes in double quotes, with \\, \", \n, \r, \t, \0 and \xHH. */
static int parse_text(struct fault_cursor *cursor, struct fault_args *args, struct err *err)
{
	const char *p = cursor->p + 1;

	if (*cursor->p != '"')
		return err_set(err, EINVAL, "a text stands in double quotes");
	while (*p != '"') {
		char byte = *p;
		int code = byte == '\\' ? unescape(&p) : (unsigned char)*p++;

		if (byte == '\0')
			return err_set(err, EINVAL, "the text has no closing '\"'");
		if (code < 0) {
			cursor->word = p;
			return err_set(err, EINVAL,
				       "behind a backslash stands another, a '\"', n, r, t, 0 or "
				       "xHH, not '%.1s'",
				       p + 1);
		}
		byte = (char)code;
		buf_add(&args->text, &byte, 1);
	}
	cursor->p = p + 1;
	return args->text.failed ? err_oom(err) : 0;
}

/* How each kind of argument is read, and what is said where it is not there. */
static const struct argument {
	int (*parse)(struct fault_cursor *cursor, struct fault_args *args, struct err *err);
	const char *example;
} arguments[] = {
	[ARGUMENT_NONE] = { NULL, NULL },
	[ARGUMENT_TIME] = { parse_time, "a time, such as 20s, 500ms, 2m" },
	[ARGUMENT_STATUS] = { parse_status, "a status, such as 0x0202" },
	[ARGUMENT_SENSE] = { parse_sense, "busy, or sense data such as 3/11/00" },
	[ARGUMENT_PORTAL] = { parse_portal, "an address, such as 192.0.2.1:3260" },
	[ARGUMENT_MOVE] = { parse_move,
			    "an address, such as 192.0.2.1:3260, and maybe permanently" },
	[ARGUMENT_TEXT] = { parse_text, "a text in double quotes" },
};

int fault_argument_parse(const struct fault_action *action, struct fault_cursor *cursor,
			 struct fault_args *args, struct err *err)
{
	const struct argument *argument = &arguments[action->argument];

	if (!argument->parse)
		return 0;
	fault_skip_blanks(cursor);
	if (*cursor->p == '\0' || *cursor->p == '#')
		return err_set(err, EINVAL, "%s takes %s", action->name, argument->example);
	return argument->parse(cursor, args, err);
}
