/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "documents/rule_lines.h"
#include "err.h"
#include "number.h"

#define STANDS "in effect" /* what a harmful rule's text has for a value */

/*
 * A key is the rule's text without its last newline. Where the file has the
 * text several times, each of them is a key: what follows the text in those
 * behind the first no rule ends with, and it sorts by number.
 */
#define AGAIN "\n# occurrence "
#define AGAIN_DIGITS 7

static size_t own_len(const struct document *doc, const struct rule_harm *harm)
{
	size_t len = harm->end - harm->start;

	return len > 0 && doc->text.data[harm->end - 1] == '\n' ? len - 1 : len;
}

static bool has_text(const struct document *doc, const struct rule_harm *harm, const char *text,
		     size_t len)
{
	return own_len(doc, harm) == len && memcmp(doc->text.data + harm->start, text, len) == 0;
}

/* The length of the key's text; *number: which of those with that text it is, from 1. */
static size_t split_key(const char *key, uint32_t *number)
{
	const size_t len = strlen(key), tail = strlen(AGAIN) + AGAIN_DIGITS;
	struct err ignored = { 0 };

	*number = 1;
	if (len > tail && strncmp(key + len - tail, AGAIN, strlen(AGAIN)) == 0 &&
	    parse_u32(key + len - AGAIN_DIGITS, 2, UINT32_MAX, number, &ignored) == 0)
		return len - tail;
	return len;
}

const char *rule_text_get(const struct document *doc, const char *key, unsigned *line)
{
	uint32_t number;
	const size_t len = split_key(key, &number);
	struct rule_harm harm;

	for (size_t i = 0; rule_next_harm(doc, &i, &harm);) {
		if (!has_text(doc, &harm, key, len) || --number > 0)
			continue;
		if (line)
			*line = harm.line;
		return STANDS;
	}
	if (line)
		*line = 0;
	return NULL;
}

/* The rules that do harm, in order. */
struct harms {
	struct rule_harm *items;
	size_t count;
};

static void harms_done(struct harms *harms)
{
	free(harms->items);
}

static int list_harms(const struct document *doc, struct harms *harms)
{
	harms->items = calloc(doc->rule_count + 1, sizeof(*harms->items));
	if (!harms->items)
		return -ENOMEM;
	for (size_t i = 0; rule_next_harm(doc, &i, &harms->items[harms->count]);)
		harms->count++;
	return 0;
}

/* The text of a rule, or what it became as a comment, and which of its equals it is, from 1. */
struct text {
	const char *at;
	size_t len; /* without the last newline */
	uint32_t number;
	size_t index; /* of what it is the text of */
	uint32_t used; /* of the first among equals: how many of them are rules again */
};

static int compare_bytes(const struct text *one, const struct text *other)
{
	int order = memcmp(one->at, other->at, one->len < other->len ? one->len : other->len);

	return order != 0 ? order : (one->len > other->len) - (one->len < other->len);
}

static int compare_numbered(const void *a, const void *b)
{
	const struct text *one = a, *other = b;
	int order = compare_bytes(one, other);

	return order != 0 ? order : (one->number > other->number) - (one->number < other->number);
}

static int compare_texts(const void *a, const void *b)
{
	const struct text *one = a, *other = b;
	int order = compare_numbered(a, b);

	return order != 0 ? order : (one->index > other->index) - (one->index < other->index);
}

/* Equal ones get their numbers in the order of the file; numbers has one for each. */
static int number_harms(const struct document *doc, const struct harms *harms, uint32_t *numbers)
{
	CLEANUP(free_ptr) struct text *texts = calloc(harms->count + 1, sizeof(*texts));

	if (!texts)
		return -ENOMEM;
	for (size_t i = 0; i < harms->count; i++)
		texts[i] = (struct text){ .at = doc->text.data + harms->items[i].start,
					  .len = own_len(doc, &harms->items[i]),
					  .index = i };
	qsort(texts, harms->count, sizeof(*texts), compare_texts);
	for (size_t i = 0; i < harms->count; i++) {
		bool again = i > 0 && compare_bytes(&texts[i - 1], &texts[i]) == 0;

		numbers[texts[i].index] = again ? numbers[texts[i - 1].index] + 1 : 1;
	}
	return 0;
}

int rule_text_each(const struct document *doc,
		   int (*fn)(const char *key, const char *value, unsigned line, void *ctx),
		   void *ctx)
{
	CLEANUP(harms_done) struct harms harms = { 0 };
	CLEANUP(free_ptr) uint32_t *numbers = calloc(doc->rule_count + 1, sizeof(*numbers));
	int rc = numbers ? list_harms(doc, &harms) : -ENOMEM;

	if (rc == 0)
		rc = number_harms(doc, &harms, numbers);
	for (size_t i = 0; rc == 0 && i < harms.count; i++) {
		const struct rule_harm *harm = &harms.items[i];
		CLEANUP(buf_done) struct buf key = { 0 };

		buf_add(&key, doc->text.data + harm->start, own_len(doc, harm));
		if (numbers[i] > 1)
			buf_addf(&key, AGAIN "%0*u", AGAIN_DIGITS, numbers[i]);
		rc = key.failed ? -ENOMEM : fn(buf_text(&key), STANDS, harm->line, ctx);
	}
	return rc;
}

/* The texts that are to be rules again, sorted. */
struct wanted {
	struct text *texts;
	size_t count;
	struct document_setting *settings;
};

static void wanted_done(struct wanted *wanted)
{
	free(wanted->texts);
}

/* What stands already is none of them. */
static int leave_out(const char *key, const char *value, unsigned line, void *ctx)
{
	struct wanted *wanted = ctx;
	struct text text = { .at = key }, *found;

	(void)value;
	(void)line;
	text.len = split_key(key, &text.number);
	found = bsearch(&text, wanted->texts, wanted->count, sizeof(text), compare_numbered);
	if (found)
		wanted->settings[found->index].result = 0;
	return 0;
}

static int list_wanted(const struct document *doc, struct wanted *wanted, size_t count)
{
	size_t left = 0;
	int rc;

	wanted->texts = calloc(count + 1, sizeof(*wanted->texts));
	if (!wanted->texts)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const char *key = wanted->settings[i].key;
		struct text *text = &wanted->texts[wanted->count];

		if (strcmp(key, RULE_KEY_TIMEOUT) == 0)
			continue;
		wanted->settings[i].result = -ENOENT;
		*text = (struct text){ .at = key, .index = i };
		text->len = split_key(key, &text->number);
		wanted->count++;
	}
	qsort(wanted->texts, wanted->count, sizeof(*wanted->texts), compare_texts);
	rc = rule_text_each(doc, leave_out, wanted);
	for (size_t i = 0; i < wanted->count; i++) {
		if (wanted->settings[wanted->texts[i].index].result != 0)
			wanted->texts[left++] = wanted->texts[i];
	}
	wanted->count = left;
	return rc;
}

/* The first that does not sort before those bytes. */
static struct text *search(const struct wanted *wanted, const struct buf *bytes)
{
	const struct text text = { .at = buf_text(bytes), .len = bytes->len };
	size_t low = 0, high = wanted->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_bytes(&wanted->texts[middle], &text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return &wanted->texts[low];
}

static bool begins_with(const struct wanted *wanted, const struct text *text,
			const struct buf *bytes)
{
	return text < wanted->texts + wanted->count && text->len >= bytes->len &&
	       memcmp(text->at, buf_text(bytes), bytes->len) == 0;
}

/* Of those with exactly these bytes the next one that is no rule yet, or NULL; *first has used. */
static struct text *next_equal(const struct wanted *wanted, const struct buf *bytes,
			       struct text **first)
{
	struct text *text;

	*first = search(wanted, bytes);
	if (!begins_with(wanted, *first, bytes) || (*first)->len != bytes->len)
		return NULL;
	text = *first + (*first)->used;
	return begins_with(wanted, text, bytes) && text->len == bytes->len ? text : NULL;
}

/*
 * The longest of the wanted texts that stands as comment lines from at on, as
 * rule_comment() wrote them; *len: of the comment. NULL where there is none.
 */
static struct text *match_comment(const struct wanted *wanted, const char *at, const char *end,
				  size_t *len)
{
	CLEANUP(buf_done) struct buf bytes = { 0 };
	struct text *first, *hit = NULL, *hit_first = NULL;
	const char *start = at, *next;

	for (; end - at >= 2 && at[0] == '#' && at[1] == ' '; at = next) {
		struct text *text;
		bool newline;

		next = rule_line_end(at, end);
		newline = next[-1] == '\n';
		buf_add(&bytes, at + 2, (size_t)(next - at) - 2 - newline);
		text = next_equal(wanted, &bytes, &first);
		if (text) {
			hit = text;
			hit_first = first;
			*len = (size_t)(next - start);
		}
		buf_add(&bytes, "\n", 1);
		if (bytes.failed || !newline ||
		    !begins_with(wanted, search(wanted, &bytes), &bytes))
			break;
	}
	if (hit)
		hit_first->used++;
	return hit;
}

/* Copy the text, with comments that are wanted as rules; how many those are. */
static int uncomment(const struct document *doc, const struct wanted *wanted, struct buf *out)
{
	const char *at = buf_text(&doc->text), *end = at + doc->text.len, *next, *after;
	int count = 0;

	for (; at < end; at = next) {
		const struct text *text = NULL;
		size_t len = 0;

		next = after = rule_line_end(at, end);
		if (strncmp(at, RULE_MARK, strlen(RULE_MARK)) == 0)
			text = match_comment(wanted, after, end, &len);
		if (!text) {
			buf_add(out, at, (size_t)(after - at));
			continue;
		}
		buf_add(out, text->at, text->len);
		buf_add(out, "\n", 1);
		wanted->settings[text->index].result = 1;
		next = after + len;
		count++;
	}
	return count;
}

/* Take the comments of these away, where they still stand as rule_comment() wrote them. */
int rule_text_set_all(struct document *doc, struct document_setting *settings, size_t count,
		      struct err *err)
{
	CLEANUP(wanted_done) struct wanted wanted = { .settings = settings };
	CLEANUP(buf_done) struct buf text = { 0 };

	if (list_wanted(doc, &wanted, count) < 0)
		return err_oom(err);
	if (wanted.count == 0 || uncomment(doc, &wanted, &text) == 0)
		return 0;
	return rules_replace(doc, 0, doc->text.len, &text, err);
}

int rule_text_set(struct document *doc, const char *key, struct err *err)
{
	struct document_setting setting = { .key = key };
	int rc = rule_text_set_all(doc, &setting, 1, err);

	if (rc < 0 || setting.result >= 0)
		return rc < 0 ? rc : setting.result;
	return err_set(err, ENOENT, "the comment that this rule became is gone");
}
