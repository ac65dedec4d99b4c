/* SPDX-License-Identifier: MIT */
#include "persona.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "buf.h"
#include "device.h"
#include "err.h"

#define IQN_PREFIX "iqn.1997-05.com.amazon:"
#define TAPE_PREFIX IQN_PREFIX "sgw-9999999c-"

enum {
	TAPE_DRIVES = 10,
	VOLUME_NAME_MAX = 200, /* TargetName of the AWS API */
};

const char *const persona_names[PERSONA_COUNT] = {
	[PERSONA_VOLUME] = "volume",
	[PERSONA_TAPE] = "tape",
};

static const struct identity volume_identity = { "Amazon", "Storage Gateway", "1.0" };
static const struct identity drive_identity = { "IBM", "ULT3580-TD5", "0103" };
static const struct identity changer_identity = { "STK", "L700", "0103" };

/* FNV-1a, 64 bits: the same name makes the same device on every start. */
static uint64_t name_hash(const char *name, size_t len)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static int add_target(struct target_list *list, const char *name, size_t len,
		      const struct device_type *type, const struct identity *identity,
		      uint64_t size, struct err *err)
{
	struct target *target;

	if (!ARRAY_ROOM(list->targets, list->count))
		return err_oom(err);
	target = &list->targets[list->count];
	*target = (struct target){ .name = malloc(len + 1), .name_len = len };
	if (!target->name)
		return err_oom(err);
	memcpy(target->name, name, len);
	target->name[len] = '\0';
	target->device = (struct device){
		.type = type,
		.identity = identity,
		.size = size,
		.id = name_hash(name, len),
	};
	snprintf(target->device.serial, sizeof(target->device.serial), "%016" PRIX64,
		 target->device.id);
	list->count++;
	return 0;
}

int persona_add_tape(struct target_list *list, struct err *err)
{
	char name[sizeof(TAPE_PREFIX) + 16];
	int len, rc;

	for (int drive = 1; drive <= TAPE_DRIVES; drive++) {
		len = snprintf(name, sizeof(name), TAPE_PREFIX "tapedrive-%02d", drive);
		rc = add_target(list, name, (size_t)len, &device_tape, &drive_identity, 0, err);
		if (rc < 0)
			return rc;
	}
	len = snprintf(name, sizeof(name), TAPE_PREFIX "mediachanger");
	return add_target(list, name, (size_t)len, &device_changer, &changer_identity, 0, err);
}

int persona_add_named(struct target_list *list, const char *name, size_t len, uint64_t size,
		      struct err *err)
{
	return add_target(list, name, len, &device_disk, &volume_identity, size, err);
}

int persona_check_volume(const char *name, struct err *err)
{
	size_t len = strlen(name);

	if (len > 0 && len <= VOLUME_NAME_MAX &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.;") == len)
		return 0;
	return err_set(err, EINVAL, "'%s' is no volume name: 1 to %d of a-z, 0-9, '-', '.' and ';'",
		       name, VOLUME_NAME_MAX);
}

int persona_add_volume(struct target_list *list, const char *name, uint64_t size, struct err *err)
{
	char iqn[sizeof(IQN_PREFIX) + VOLUME_NAME_MAX];
	int rc = persona_check_volume(name, err);

	if (rc < 0)
		return rc;
	rc = snprintf(iqn, sizeof(iqn), IQN_PREFIX "%s", name);
	return persona_add_named(list, iqn, (size_t)rc, size, err);
}

void target_name_fold(const char *name, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + ('a' - 'A') : name[i]);
	out[len] = '\0';
}

int persona_add_file(struct target_list *list, const char *name, uint64_t size, const char *path,
		     struct err *err)
{
	struct store store = { .kept = false };
	int rc = store_open(&store, path, &size, err);

	if (rc < 0)
		return rc;
	if (size % DISK_BLOCK != 0) {
		err_set(err, EINVAL, "its %" PRIu64 " bytes are no whole number of %d-byte blocks",
			size, DISK_BLOCK);
		rc = err_at(err, "%s", path);
	} else {
		rc = persona_add_volume(list, name, size, err);
	}
	if (rc < 0)
		store_done(&store);
	else
		list->targets[list->count - 1].device.store = store;
	return rc;
}

static int compare_names(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_targets(const void *a, const void *b)
{
	const struct target *x = *(struct target *const *)a, *y = *(struct target *const *)b;

	return compare_names(x->name, x->name_len, y->name, y->name_len);
}

int target_list_sort(struct target_list *list, struct err *err)
{
	list->sorted = malloc((list->count + 1) * sizeof(struct target *));
	if (!list->sorted)
		return err_oom(err);
	for (size_t i = 0; i < list->count; i++) {
		list->sorted[i] = &list->targets[i];
		list->targets[i].device.target = &list->targets[i];
	}
	qsort(list->sorted, list->count, sizeof(struct target *), compare_targets);
	for (size_t i = 1; i < list->count; i++)
		if (compare_targets(&list->sorted[i - 1], &list->sorted[i]) == 0)
			return err_set(err, EEXIST, "two targets have the name '%s'",
				       list->sorted[i]->name);
	return 0;
}

struct target *target_list_find(const struct target_list *list, const char *name, size_t len)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct target *target = list->sorted[middle];
		int order = compare_names(name, len, target->name, target->name_len);

		if (order == 0)
			return target;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

void target_list_done(struct target_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct credential *next;

		for (struct credential *it = list->targets[i].credentials; it; it = next) {
			next = it->next;
			free(it);
		}
		store_done(&list->targets[i].device.store);
		free(list->targets[i].name);
	}
	free(list->targets);
	free(list->sorted);
	*list = (struct target_list){ 0 };
}
