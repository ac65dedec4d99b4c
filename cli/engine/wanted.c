/* SPDX-License-Identifier: MIT */
#include "engine/wanted.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "host/paths.h"
#include "os/files.h"

enum { PROFILE_FILE_MAX = 1 << 20 };

static const char *const kind_words[] = { "volume", "tape", "other" };

const char *gateway_word(enum gateway_kind kind)
{
	return kind_words[kind];
}

/* "…-tapedrive-01" to "…-tapedrive-10", "…-mediachanger". */
static bool names_tape_device(const char *name)
{
	static const char changer[] = "-mediachanger", drive[] = "-tapedrive-";
	size_t len = strlen(name);

	if (len >= strlen(changer) && strcmp(name + len - strlen(changer), changer) == 0)
		return true;
	while (len > 0 && name[len - 1] >= '0' && name[len - 1] <= '9')
		len--;
	return name[len] != '\0' && len >= strlen(drive) &&
	       strncmp(name + len - strlen(drive), drive, strlen(drive)) == 0;
}

enum gateway_kind gateway_kind(const char *target)
{
	static const char prefix[] = "iqn.1997-05.com.amazon:";

	if (strncmp(target, prefix, strlen(prefix)) != 0)
		return GATEWAY_OTHER;
	return names_tape_device(target) ? GATEWAY_TAPE : GATEWAY_VOLUME;
}

/* A file belongs to the profile it names: the first that takes it. */
static int overlay(struct wanted *wanted, const struct buf *bytes, const char *file,
		   struct err *err)
{
	int rc = 1;

	for (size_t i = 0; rc == 1 && i < GATEWAY_OTHER; i++)
		rc = profile_overlay(&wanted->profiles[i], buf_text(bytes), bytes->len, file, err);
	if (rc == 1) {
		err_set(err, EINVAL, "its profile's name is neither 'volume' nor 'tape'");
		return err_at(err, "%s", file);
	}
	return rc;
}

static int load_site(struct wanted *wanted, const struct paths *paths, struct err *err)
{
	char **names = NULL;
	size_t count = 0;
	int rc = paths_list(paths, WANTED_SITE_DIR, &names, &count, err);

	if (rc == -ENOENT)
		return 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		CLEANUP(buf_done) struct buf bytes = { 0 };
		char path[sizeof(WANTED_SITE_DIR) + 256], shown[ERR_PLACE_MAX];
		size_t len = strlen(names[i]);

		if (len < 4 || strcmp(names[i] + len - 4, ".xml") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", WANTED_SITE_DIR, names[i]);
		rc = paths_read(paths, path, PROFILE_FILE_MAX, &bytes, NULL, err);
		paths_show(paths, path, shown, sizeof(shown));
		if (rc == 0)
			rc = overlay(wanted, &bytes, shown, err);
	}
	paths_list_free(names, count);
	return rc;
}

/*
 * A setting that only one kind of gateway has is set there; no kind has it: the
 * first one's words.
 */
static int apply_set(struct wanted *wanted, const char *assignment, struct err *err)
{
	struct err first = { 0 };
	bool taken = false;

	for (size_t i = 0; i < GATEWAY_OTHER; i++) {
		struct err one = { 0 };

		if (profile_set(&wanted->profiles[i], assignment, &one) == 0)
			taken = true;
		else if (first.code == 0)
			first = one;
	}
	if (taken)
		return 0;
	*err = first;
	return -err->code;
}

int wanted_load(struct wanted *wanted, const struct paths *paths, const char *const *files,
		struct err *err)
{
	int rc = 0;

	*wanted = (struct wanted){ 0 };
	for (size_t i = 0; rc == 0 && i < GATEWAY_OTHER; i++)
		rc = profile_builtin(&wanted->profiles[i], kind_words[i], err);
	if (rc == 0)
		rc = load_site(wanted, paths, err);
	for (; rc == 0 && files && *files; files++) {
		CLEANUP(buf_done) struct buf bytes = { 0 };

		rc = file_read(*files, PROFILE_FILE_MAX, &bytes, err);
		if (rc == 0)
			rc = overlay(wanted, &bytes, *files, err);
	}
	return rc;
}

int wanted_set(struct wanted *wanted, const char *const *sets, struct err *err)
{
	int rc = 0;

	for (; rc == 0 && sets && *sets; sets++)
		rc = apply_set(wanted, *sets, err);
	return rc;
}

int wanted_check(const struct wanted *wanted, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < GATEWAY_OTHER; i++)
		rc = profile_check(&wanted->profiles[i], err);
	return rc;
}

void wanted_done(struct wanted *wanted)
{
	for (size_t i = 0; i < GATEWAY_OTHER; i++)
		profile_done(&wanted->profiles[i]);
}
