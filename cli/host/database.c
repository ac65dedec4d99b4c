/* SPDX-License-Identifier: MIT */
#include "host/database.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "array.h"
#include "documents/document.h"
#include "documents/open_iscsi.h"
#include "err.h"
#include "host/paths.h"

/* Upstream before 2.1.9 and Debian; upstream since, and the RHEL family all along. */
static const char *const roots[] = { "/etc/iscsi", "/var/lib/iscsi" };

enum { ROOTS = 2, ROOT_ETC = 0, ROOT_VAR = 1 };

/* The first release of a distribution whose open-iscsi keeps its database below /var. */
static const struct {
	const char *id;
	int release;
} moved[] = {
	{ "debian", 13 },
	{ "ubuntu", 24 },
};

/* The value of NAME= in os-release, without its quotes, or an empty text. */
static void release_value(const struct buf *text, const char *name, char *out, size_t size)
{
	const size_t len = strlen(name);
	const char *line = buf_text(text);

	out[0] = '\0';
	for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (strncmp(line, name, len) != 0 || line[len] != '=')
			continue;
		line += len + 1;
		line += *line == '"' || *line == '\'';
		snprintf(out, size, "%.*s", (int)strcspn(line, "\"'\r\n"), line);
		return;
	}
}

/* Where this distribution's open-iscsi would make its database. */
static int default_root(const struct paths *paths)
{
	static const char *const files[] = { "/etc/os-release", "/usr/lib/os-release" };
	CLEANUP(buf_done) struct buf text = { 0 };
	char id[32], version[32];
	struct err ignored = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(files) && text.len == 0; i++)
		paths_read(paths, files[i], DOCUMENT_SIZE_MAX, &text, NULL, &ignored);
	release_value(&text, "ID", id, sizeof(id));
	release_value(&text, "VERSION_ID", version, sizeof(version));
	for (size_t i = 0; i < ARRAY_LEN(moved); i++) {
		/* Debian's unstable has no version, and the newest open-iscsi. */
		if (strcmp(id, moved[i].id) == 0 && version[0] != '\0' &&
		    strtol(version, NULL, 10) < moved[i].release)
			return ROOT_ETC;
	}
	return ROOT_VAR;
}

static struct record *add_record(struct database *db, const char *path, const char *target,
				 const char *portal, const char *interface)
{
	struct record *record;

	if (!ARRAY_ROOM(db->records, db->count))
		return NULL;
	record = &db->records[db->count];
	*record = (struct record){ .bytes.secret = true };
	record->path = strdup(path);
	if (!record->path)
		return NULL;
	db->count++;
	record_place(record, target, portal, interface);
	return record;
}

/* Others remove what they write anew: a name that is listed no more is none that leads nowhere. */
static int is_listed(const struct paths *paths, const char *path, struct err *err)
{
	const char *name = strrchr(path, '/') + 1;
	CLEANUP(free_ptr) char *dir = strndup(path, (size_t)(name - 1 - path));
	char **names = NULL;
	size_t count = 0;
	int rc = dir ? paths_list(paths, dir, &names, &count, err) : err_oom(err), listed = 0;

	for (size_t i = 0; i < count && !listed; i++)
		listed = strcmp(names[i], name) == 0;
	paths_list_free(names, count);
	return rc == 0 ? listed : rc == -ENOENT || rc == -ENOTDIR ? 0 : rc;
}

/* The last that was added. */
static int drop_unless_listed(struct database *db, const struct paths *paths, const char *path,
			      struct err *err)
{
	int rc = is_listed(paths, path, err);

	if (rc == 0)
		record_done(&db->records[--db->count]);
	return rc < 0 ? rc : 0;
}

static time_t booted_at(void)
{
	struct timespec up = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &up);
	return time(NULL) - up.tv_sec;
}

/* A record that cannot be read is told as such; running out of memory stops the reading. */
static int read_record(struct database *db, const struct paths *paths, const char *path,
		       const char *target, const char *portal, const char *interface,
		       struct err *err)
{
	struct record *record = add_record(db, path, target, portal, interface);
	struct err problem = { 0 };
	struct stat st = { 0 };
	int rc;

	if (!record)
		return err_oom(err);
	if (record->problem[0] != '\0')
		return 0;
	rc = paths_read(paths, path, DOCUMENT_SIZE_MAX, &record->bytes, &st, &problem);
	record->mode = st.st_mode & 07777;
	record->young = st.st_mtime >= booted_at();
	record->was_read = rc == 0;
	if (rc == 0)
		record_read(record);
	else if (rc == -ENOMEM)
		return err_oom(err);
	else
		snprintf(record->problem, sizeof(record->problem), "%.500s", problem.reason);
	return rc == -ENOENT ? drop_unless_listed(db, paths, path, err) : 0;
}

/* A level of the tree: call fn for every name in it. */
struct level {
	struct database *db;
	const struct paths *paths;
	const char *path;
	const char *target, *portal; /* NULL above their level */
};

typedef int level_fn(const struct level *level, const char *path, const char *name,
		     struct err *err);

static int for_each_name(const struct level *level, level_fn *fn, struct err *err)
{
	char **names = NULL;
	size_t count = 0;
	int rc = paths_list(level->paths, level->path, &names, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		CLEANUP(buf_done) struct buf path = { 0 };

		buf_addf(&path, "%s/%s", level->path, names[i]);
		rc = path.failed ? err_oom(err) : fn(level, buf_text(&path), names[i], err);
	}
	paths_list_free(names, count);
	return rc;
}

static int visit_interface(const struct level *level, const char *path, const char *name,
			   struct err *err)
{
	return read_record(level->db, level->paths, path, level->target, level->portal, name, err);
}

/* Something that stands in a directory's place is told, and does not stop the reading. */
static int add_stray(const struct level *level, const char *path, const char *target,
		     const char *portal, int reason, struct err *err)
{
	struct record *stray = add_record(level->db, path, target, portal, "default");

	if (!stray)
		return err_oom(err);
	if (reason == -ENOTDIR)
		snprintf(stray->problem, sizeof(stray->problem),
			 "a file where a target's directory should be: not a record; move it away");
	else
		snprintf(stray->problem, sizeof(stray->problem),
			 "a link that leads nowhere: remove it");
	return reason == -ENOENT ? drop_unless_listed(level->db, level->paths, path, err) : 0;
}

/* The portal's entry is a directory of interfaces, or, where its tag is unknown, the record. */
static int visit_portal(const struct level *level, const char *path, const char *name,
			struct err *err)
{
	const struct level below = { level->db, level->paths, path, level->target, name };
	int rc = for_each_name(&below, visit_interface, err);

	if (rc == -ENOTDIR)
		return read_record(level->db, level->paths, path, level->target, name, "default",
				   err);
	if (rc == -ENOENT || rc == -ELOOP)
		return add_stray(level, path, level->target, name, rc, err);
	return rc;
}

static int visit_target(const struct level *level, const char *path, const char *name,
			struct err *err)
{
	const struct level below = { level->db, level->paths, path, name, NULL };
	int rc = for_each_name(&below, visit_portal, err);

	if (rc == -ENOTDIR || rc == -ENOENT || rc == -ELOOP)
		return add_stray(level, path, name, "", rc, err);
	return rc;
}

static int read_root(struct database *db, const struct paths *paths, const char *root,
		     struct err *err)
{
	char path[64];
	const struct level level = { db, paths, path, NULL, NULL };
	int rc;

	snprintf(path, sizeof(path), "%s/nodes", root);
	rc = for_each_name(&level, visit_target, err);
	return rc == -ENOENT ? 0 : rc;
}

/* 1 where the two roots lead to one place, by a link left for older programs. */
static int one_place(const struct paths *paths, struct err *err)
{
	char etc_path[64], var_path[64];
	CLEANUP(free_ptr) char *etc = NULL;
	CLEANUP(free_ptr) char *var = NULL;

	snprintf(etc_path, sizeof(etc_path), "%s/nodes", roots[ROOT_ETC]);
	snprintf(var_path, sizeof(var_path), "%s/nodes", roots[ROOT_VAR]);
	etc = paths_real(paths, etc_path, err);
	var = etc ? paths_real(paths, var_path, err) : NULL;
	if (!var)
		return err->code == ENOENT ? 0 : -err->code;
	return strcmp(etc, var) == 0;
}

/* 1 where the root holds a database. */
static int root_exists(const struct paths *paths, const char *root, struct err *err)
{
	char nodes[64], discovered[64];
	int rc;

	snprintf(nodes, sizeof(nodes), "%s/nodes", root);
	snprintf(discovered, sizeof(discovered), "%s/send_targets", root);
	rc = paths_exists(paths, nodes, err);
	return rc != 0 ? rc : paths_exists(paths, discovered, err);
}

static int compare_place(const struct record *a, const char *target, const char *address,
			 uint16_t port)
{
	int order = strcmp(a->target, target);

	if (order == 0)
		order = strcmp(a->address, address);
	return order != 0 ? order : a->port - port;
}

static int compare_records(const void *a, const void *b)
{
	const struct record *one = a, *other = b;
	int order = compare_place(one, other->target, other->address, other->port);

	if (order == 0)
		order = strcmp(one->interface, other->interface);
	return order != 0 ? order : strcmp(one->path, other->path);
}

int database_load(struct database *db, const struct paths *paths, struct err *err)
{
	size_t found[ROOTS] = { 0 };
	bool exists[ROOTS] = { false };
	int root, rc = 0;

	*db = (struct database){ 0 };
	for (int i = 0; rc >= 0 && i < ROOTS; i++) {
		rc = root_exists(paths, roots[i], err);
		exists[i] = rc > 0;
	}
	if (rc >= 0 && exists[ROOT_ETC] && exists[ROOT_VAR]) {
		rc = one_place(paths, err);
		exists[ROOT_ETC] = rc == 0;
	}
	for (int i = 0; rc >= 0 && i < ROOTS; i++) {
		found[i] = db->count;
		if (exists[i])
			rc = read_root(db, paths, roots[i], err);
		found[i] = db->count - found[i];
	}
	if (rc < 0) {
		database_done(db);
		return rc;
	}
	if (exists[ROOT_ETC] != exists[ROOT_VAR])
		root = exists[ROOT_VAR];
	else if ((found[ROOT_ETC] > 0) != (found[ROOT_VAR] > 0))
		root = found[ROOT_VAR] > 0;
	else
		root = default_root(paths);
	snprintf(db->path, sizeof(db->path), "%s", roots[root]);
	if (db->count > 0)
		qsort(db->records, db->count, sizeof(*db->records), compare_records);
	return 0;
}

void database_done(struct database *db)
{
	for (size_t i = 0; i < db->count; i++)
		record_done(&db->records[i]);
	free(db->records);
	*db = (struct database){ 0 };
}

struct record *database_find(const struct database *db, const char *target, const char *address,
			     uint16_t port, size_t *from)
{
	size_t low = *from, high = db->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (compare_place(&db->records[middle], target, address, port) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*from = low + 1;
	if (low >= db->count || compare_place(&db->records[low], target, address, port) != 0)
		return NULL;
	return &db->records[low];
}

static bool is_initiator_name(const char *name, size_t len)
{
	if (len < 5 || len >= ISCSI_NAME_SIZE ||
	    (strncmp(name, "iqn.", 4) != 0 && strncmp(name, "eui.", 4) != 0 &&
	     strncmp(name, "naa.", 4) != 0))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (name[i] <= ' ' || name[i] == 0x7f)
			return false;
	}
	return true;
}

int initiator_name_read(const struct paths *paths, char name[ISCSI_NAME_SIZE], struct err *err)
{
	static const char path[] = "/etc/iscsi/initiatorname.iscsi";
	CLEANUP(buf_done) struct buf text = { 0 };
	char shown[ERR_PLACE_MAX];
	const char *value = NULL;
	size_t len;
	int rc;

	rc = paths_read(paths, path, DOCUMENT_SIZE_MAX, &text, NULL, err);
	if (rc < 0)
		return rc;
	paths_show(paths, path, shown, sizeof(shown));
	len = open_iscsi_first(buf_text(&text), text.len, "InitiatorName", &value);
	if (len == 0)
		rc = err_set(err, EINVAL,
			     "no InitiatorName=NAME in it; iscsi-iname makes a new name");
	else if (!is_initiator_name(value, len))
		rc = err_set(err, EINVAL,
			     "\"%.*s\" is no initiator name (iqn.…, eui.… or naa.…, of 223 bytes "
			     "at most)",
			     (int)(len < 300 ? len : 300), value);
	if (rc < 0)
		return err_at(err, "%s", shown);
	memcpy(name, value, len);
	name[len] = '\0';
	return 0;
}
