/* SPDX-License-Identifier: MIT */
#include "buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "os/memory.h"

char *buf_room(struct buf *buf, size_t len)
{
	size_t size = buf->size ? buf->size : 256;
	char *data;

	if (buf->failed || len > SIZE_MAX / 4 || buf->len > SIZE_MAX / 4) {
		buf->failed = true;
		return NULL;
	}
	if (buf->data && buf->size - buf->len > len)
		return buf->data + buf->len;
	while (size - buf->len <= len)
		size *= 2;
	/* Not realloc: it would leave a copy of a secret behind. */
	data = malloc(size);
	if (!data) {
		buf->failed = true;
		return NULL;
	}
	if (buf->data) {
		memcpy(data, buf->data, buf->len);
		if (buf->secret)
			memory_wipe(buf->data, buf->size);
		free(buf->data);
	}
	data[buf->len] = '\0';
	buf->data = data;
	buf->size = size;
	return data + buf->len;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	char *room = buf_room(buf, len);

	if (!room)
		return;
	if (len > 0)
		memcpy(room, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_adds(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_addf(struct buf *buf, const char *fmt, ...)
{
	va_list args;
	char *room;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	room = len < 0 ? NULL : buf_room(buf, (size_t)len);
	if (!room) {
		buf->failed = true;
		return;
	}
	va_start(args, fmt);
	vsnprintf(room, (size_t)len + 1, fmt, args);
	va_end(args);
	buf->len += (size_t)len;
}

bool buf_equal(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

const char *buf_text(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

char *buf_take(struct buf *buf)
{
	char *data;

	buf_add(buf, "", 0);
	if (buf->failed) {
		buf_done(buf);
		return NULL;
	}
	data = buf->data;
	*buf = (struct buf){ .secret = buf->secret };
	return data;
}

void buf_done(struct buf *buf)
{
	if (buf->data && buf->secret)
		memory_wipe(buf->data, buf->size);
	free(buf->data);
	*buf = (struct buf){ .secret = buf->secret };
}
