/* SPDX-License-Identifier: MIT */
#include "host/rule_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "host/paths.h"

/* What comes first hides what comes later. */
static const char *const dirs[] = {
	RULES_DIR,
	"/run/udev/rules.d",
	"/usr/local/lib/udev/rules.d",
	"/usr/lib/udev/rules.d",
	"/lib/udev/rules.d",
};

static const char *name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

static bool is_rules(const char *name)
{
	const size_t len = strlen(name), suffix = strlen(".rules");

	return name[0] != '.' && len > suffix && strcmp(name + len - suffix, ".rules") == 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(name_of(*(char *const *)a), name_of(*(char *const *)b));
}

static int add(struct rule_files *files, const char *dir, const char *name, struct err *err)
{
	CLEANUP(buf_done) struct buf path = { 0 };
	char **more = realloc(files->list, (files->count + 1) * sizeof(*more));

	if (!more)
		return err_oom(err);
	files->list = more;
	buf_addf(&path, "%s/%s", dir, name);
	more[files->count] = buf_take(&path);
	if (!more[files->count])
		return err_oom(err);
	files->count++;
	return 0;
}

static bool is_hidden(const struct rule_files *files, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(name_of(files->list[i]), name) == 0)
			return true;
	}
	return false;
}

static int add_dir(struct rule_files *files, const struct paths *paths, const char *dir,
		   struct err *err)
{
	const size_t before = files->count;
	char **names = NULL;
	size_t count = 0;
	int rc = paths_list(paths, dir, &names, &count, err);

	if (rc == -ENOENT)
		return 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (is_rules(names[i]) && !is_hidden(files, before, names[i]))
			rc = add(files, dir, names[i], err);
	}
	paths_list_free(names, count);
	return rc;
}

/* Where it leads within RULES_DIR, or NULL. */
static char *editable_real(const struct paths *paths, const char *path)
{
	CLEANUP(free_ptr) char *dir = NULL, *real = NULL;
	struct err ignored = { 0 };
	size_t len;

	dir = paths_real(paths, RULES_DIR, &ignored);
	real = dir ? paths_real(paths, path, &ignored) : NULL;
	if (!real)
		return NULL;
	len = strlen(dir);
	if (strncmp(real, dir, len) != 0 || real[len] != '/' || strchr(real + len + 1, '/'))
		return NULL;
	return TAKE_PTR(real);
}

bool rule_file_editable(const struct paths *paths, const char *path)
{
	CLEANUP(free_ptr) char *real = editable_real(paths, path);

	return real;
}

static bool is_among(const char *real, char **reals, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (reals[i] && strcmp(reals[i], real) == 0)
			return true;
	}
	return false;
}

/* Links to a file that has a later name, too. */
static int drop_doubles(struct rule_files *files, const struct paths *paths, struct err *err)
{
	char **reals = calloc(files->count + 1, sizeof(*reals));
	size_t kept = 0;

	if (!reals)
		return err_oom(err);
	for (size_t i = 0; i < files->count; i++)
		reals[i] = editable_real(paths, files->list[i]);
	for (size_t i = 0; i < files->count; i++) {
		if (reals[i] && is_among(reals[i], reals + i + 1, files->count - i - 1))
			free(files->list[i]);
		else
			files->list[kept++] = files->list[i];
	}
	for (size_t i = 0; i < files->count; i++)
		free(reals[i]);
	free(reals);
	files->count = kept;
	return 0;
}

int rule_files_list(struct rule_files *files, const struct paths *paths, struct err *err)
{
	int rc = 0;

	*files = (struct rule_files){ 0 };
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(dirs); i++)
		rc = add_dir(files, paths, dirs[i], err);
	if (rc == 0 && files->count > 0)
		qsort(files->list, files->count, sizeof(*files->list), by_name);
	return rc < 0 ? rc : drop_doubles(files, paths, err);
}

void rule_files_done(struct rule_files *files)
{
	while (files->count > 0)
		free(files->list[--files->count]);
	free(files->list);
	*files = (struct rule_files){ 0 };
}
