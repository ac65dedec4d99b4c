/* SPDX-License-Identifier: MIT */
#include "documents/document.h"

#include <errno.h>
#include <string.h>

#include "err.h"

int document_check_text(const char *bytes, size_t len, struct err *err)
{
	const char *nul = len > 0 ? memchr(bytes, '\0', len) : NULL;
	unsigned line = 1;

	if (len > DOCUMENT_SIZE_MAX)
		return err_set(err, EFBIG, "%zu bytes: no configuration file is that large", len);
	if (!nul)
		return 0;
	for (; bytes < nul; bytes++)
		line += *bytes == '\n';
	return err_set(err, EINVAL,
		       "line %u: a NUL byte: not a text file, or one in UTF-16; save it as plain "
		       "text",
		       line);
}
