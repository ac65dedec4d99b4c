/* SPDX-License-Identifier: MIT */
#include "host/rule_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
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
	const struct rule_file *one = a, *other = b;

	return strcmp(name_of(one->path), name_of(other->path));
}

static int add(struct rule_files *files, const char *dir, const char *name, struct err *err)
{
	CLEANUP(buf_done) struct buf path = { 0 };

	buf_addf(&path, "%s/%s", dir, name);
	if (path.failed || !ARRAY_ROOM(files->list, files->count))
		return err_oom(err);
	files->list[files->count++] = (struct rule_file){ .path = buf_take(&path) };
	return 0;
}

static bool is_hidden(const struct rule_files *files, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(name_of(files->list[i].path), name) == 0)
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

static int follow(struct rule_file *file, const struct paths *paths, const char *dir,
		  struct err *err)
{
	const size_t len = strlen(dir);

	file->real = paths_real(paths, file->path, err);
	if (!file->real) /* a link that leads nowhere is none of udev's files */
		return err->code == ENOENT || err->code == ELOOP ? 0 : -err->code;
	file->editable = strncmp(file->real, dir, len) == 0 && file->real[len] == '/' &&
			 !strchr(file->real + len + 1, '/');
	return 0;
}

static int follow_all(struct rule_files *files, const struct paths *paths, struct err *err)
{
	CLEANUP(free_ptr) char *dir = paths_real(paths, RULES_DIR, err);
	int rc = 0;

	if (!dir && err->code != ENOENT)
		return -err->code;
	for (size_t i = 0; rc == 0 && i < files->count; i++)
		rc = follow(&files->list[i], paths, dir ? dir : RULES_DIR, err);
	return rc;
}

static void drop(struct rule_file *file)
{
	free(file->path);
	free(file->real);
}

static bool comes_again(const struct rule_files *files, size_t at)
{
	const struct rule_file *file = &files->list[at];

	for (size_t i = at + 1; file->editable && i < files->count; i++) {
		if (files->list[i].editable && strcmp(files->list[i].real, file->real) == 0)
			return true;
	}
	return false;
}

/* Links to a file that has a later name, too. */
static void drop_doubles(struct rule_files *files)
{
	size_t kept = 0;

	for (size_t i = 0; i < files->count; i++) {
		if (comes_again(files, i))
			drop(&files->list[i]);
		else
			files->list[kept++] = files->list[i];
	}
	files->count = kept;
}

int rule_files_list(struct rule_files *files, const struct paths *paths, struct err *err)
{
	int rc = 0;

	*files = (struct rule_files){ 0 };
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(dirs); i++)
		rc = add_dir(files, paths, dirs[i], err);
	if (rc == 0 && files->count > 0)
		qsort(files->list, files->count, sizeof(*files->list), by_name);
	if (rc == 0)
		rc = follow_all(files, paths, err);
	if (rc == 0)
		drop_doubles(files);
	return rc;
}

void rule_files_done(struct rule_files *files)
{
	while (files->count > 0)
		drop(&files->list[--files->count]);
	free(files->list);
	*files = (struct rule_files){ 0 };
}
