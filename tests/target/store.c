/* SPDX-License-Identifier: MIT */
#include "store.h"

#include "err.h"

int store_open(struct store *store, const char *path, uint64_t *size, struct err *err)
{
	store->kept = true;
	return mapping_file(&store->mapping, path, size, err);
}

uint8_t *store_bytes(struct store *store, uint64_t size)
{
	struct err err;

	if (!store->mapping.bytes && mapping_memory(&store->mapping, size, &err) < 0)
		return NULL;
	return store->mapping.bytes;
}

int store_flush(const struct store *store, uint64_t offset, uint64_t len)
{
	return store->kept ? mapping_flush(&store->mapping, (size_t)offset, (size_t)len) : 0;
}

void store_done(struct store *store)
{
	mapping_done(&store->mapping);
}
