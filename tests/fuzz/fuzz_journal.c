/* SPDX-License-Identifier: MIT */
/*
 * A journal entry of any bytes: the document, a NUL, the images. What is
 * believed holds to the rules, and comes back the same when it is written
 * and read again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/entry.h"
#include "err.h"

static void check(int holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

static void check_path(const char *path)
{
	check(path[0] == '/' && path[1] != '\0', "a path is absolute");
	check(!strstr(path, "/../") && !strstr(path, "//"), "a path has no steps up");
}

/* Bytes for an image that was read without them. */
static void lend(struct image *image, const char *bytes, size_t len)
{
	if (!image->exists)
		return;
	image->bytes = bytes;
	if (image->len > len)
		image->len = len;
}

static void write_and_read(const struct entry *entry)
{
	struct buf json = { 0 }, images = { 0 };
	struct entry again = { 0 };
	struct err err;
	size_t i;

	check(entry_format(entry, &json, &images, &err) == 0, "what was read can be written");
	check(entry_parse(&again, json.data, json.len, &images, &err) == 0, "and read again");
	check(again.file_count == entry->file_count, "with as many files");
	check(again.dirs.count == entry->dirs.count, "and directories");
	for (i = 0; i < entry->file_count; i++) {
		const struct entry_file *a = &entry->files[i], *b = &again.files[i];

		check(strcmp(a->real, b->real) == 0, "of the same names");
		check(a->after.exists == b->after.exists && a->after.len == b->after.len &&
			      (a->after.len == 0 ||
			       memcmp(a->after.bytes, b->after.bytes, a->after.len) == 0),
		      "and bytes");
		check(a->attributes.count == b->attributes.count, "and attributes");
		check(a->amended == b->amended && a->prior.exists == b->prior.exists &&
			      a->prior.len == b->prior.len,
		      "and what a commit of two found");
	}
	entry_done(&again);
	buf_done(&images);
	buf_done(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *end = size > 0 ? memchr(text, '\0', size) : NULL;
	size_t len = end ? (size_t)(end - text) : size;
	const char *rest = end ? end + 1 : text;
	size_t rest_len = end ? size - len - 1 : 0;
	struct buf images = { 0 };
	struct entry entry;
	struct err err = { 0 };
	size_t i;

	if (entry_parse(&entry, text, len, NULL, &err) == 0) {
		check(entry.file_count > 0, "an entry is about a file");
		for (i = 0; i < entry.file_count; i++) {
			check_path(entry.files[i].path);
			check_path(entry.files[i].real);
			check(entry.files[i].mode <= 07777, "a mode is one");
			lend(&entry.files[i].before, rest, rest_len);
			lend(&entry.files[i].after, rest, rest_len);
			lend(&entry.files[i].prior, rest, rest_len);
		}
		for (i = 0; i < entry.dirs.count; i++)
			check_path(entry.dirs.paths[i]);
		write_and_read(&entry);
	} else {
		check(err.reason[0] != '\0', "what is wrong is said");
	}
	entry_done(&entry);

	buf_add(&images, rest, rest_len);
	if (entry_parse(&entry, text, len, &images, &err) == 0)
		write_and_read(&entry);
	entry_done(&entry);
	buf_done(&images);
	return 0;
}
