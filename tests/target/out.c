/* SPDX-License-Identifier: MIT */
#include "out.h"

#include <stdlib.h>
#include <string.h>

struct backlog *out_keep(const struct out *out, size_t sent)
{
	size_t first = 0, skip = sent, copied = 0;
	struct backlog *backlog;
	uint8_t *copy;

	while (first < out->count && skip >= out->pieces[first].len)
		skip -= out->pieces[first++].len;
	for (size_t i = first; i < out->count; i++)
		if (!out->lasting[i])
			copied += out->pieces[i].len;

	backlog = malloc(sizeof(*backlog) + (out->count - first) * sizeof(struct socket_piece) +
			 copied);
	if (!backlog)
		return NULL;
	backlog->next = 0;
	backlog->count = out->count - first;
	copy = (uint8_t *)&backlog->pieces[backlog->count];
	for (size_t i = 0; i < backlog->count; i++) {
		struct socket_piece *piece = &backlog->pieces[i];

		*piece = out->pieces[first + i];
		if (i == 0) {
			piece->bytes = (const uint8_t *)piece->bytes + skip;
			piece->len -= skip;
		}
		if (out->lasting[first + i])
			continue;
		memcpy(copy, piece->bytes, piece->len);
		piece->bytes = copy;
		copy += piece->len;
	}
	return backlog;
}

bool backlog_sent(struct backlog *backlog, size_t sent)
{
	while (backlog->next < backlog->count) {
		struct socket_piece *piece = &backlog->pieces[backlog->next];

		if (sent < piece->len) {
			piece->bytes = (const uint8_t *)piece->bytes + sent;
			piece->len -= sent;
			return false;
		}
		sent -= piece->len;
		backlog->next++;
	}
	return true;
}
