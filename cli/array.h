/* SPDX-License-Identifier: MIT */
/* Arrays that grow by one element at a time, and keep no size beside their count. */
#ifndef SGW_ARRAY_H
#define SGW_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Make room for one element more than count, which the caller then fills and
 * counts: false without memory, and the array stays as it is. items is NULL at
 * count 0, or has grown by this alone. Free it with free().
 */
#define ARRAY_ROOM(items, count)                                               \
	({                                                                     \
		void *grown_ = array_grow((items), (count), sizeof(*(items))); \
		if (grown_)                                                    \
			(items) = grown_;                                      \
		grown_ != NULL;                                                \
	})

/* What ARRAY_ROOM does; where the elements are now, or NULL. */
void *array_grow(void *items, size_t count, size_t size);

#endif
