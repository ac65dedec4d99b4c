/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "documents/chap_file.h"
#include "err.h"

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void check_text(const char *text, size_t min, size_t max)
{
	size_t len = strlen(text);

	require(len >= min && len <= max);
	for (; *text; text++)
		require((unsigned char)*text >= ' ' && *text != '\x7f');
}

/* What is let through can stand in a record's line, and in a path where it is AWS's. */
static void check_entry(const struct chap_entry *entry, enum chap_limits limits)
{
	size_t min = limits == CHAP_LIMITS_AWS ? 12 : 1, max = limits == CHAP_LIMITS_AWS ? 16 : 255;

	check_text(entry->target, 1, 223);
	check_text(entry->initiator_secret, min, max);
	if (limits == CHAP_LIMITS_AWS)
		require(!strchr(entry->target, '/') && strncmp(entry->target, "iqn.", 4) == 0);
	if (entry->initiator)
		check_text(entry->initiator, 1, 255);
	if (entry->target_secret) {
		check_text(entry->target_secret, min, max);
		require(strcmp(entry->initiator_secret, entry->target_secret) != 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int limits = CHAP_LIMITS_AWS; limits <= CHAP_LIMITS_ANY; limits++) {
		struct chap_file file = { 0 };
		struct err err = { 0 };
		int rc = chap_file_parse(&file, (const char *)data, size, (enum chap_limits)limits,
					 &err);

		require(rc == 0 || (err.code == -rc && err.reason[0] != '\0' && file.count == 0));
		for (size_t i = 0; i < file.count; i++)
			check_entry(&file.entries[i], (enum chap_limits)limits);
		chap_file_done(&file);
	}
	return 0;
}
