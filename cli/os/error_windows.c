/* SPDX-License-Identifier: MIT */
#include "os/error_windows.h"

#include <errno.h>
#include <windows.h>

#include "buf.h"
#include "err.h"

static const struct {
	DWORD windows;
	int code;
} codes[] = {
	{ ERROR_FILE_NOT_FOUND, ENOENT },      { ERROR_PATH_NOT_FOUND, ENOENT },
	{ ERROR_INVALID_NAME, ENOENT },	       { ERROR_ACCESS_DENIED, EACCES },
	{ ERROR_WRITE_PROTECT, EROFS },	       { ERROR_DISK_FULL, ENOSPC },
	{ ERROR_HANDLE_DISK_FULL, ENOSPC },    { ERROR_FILE_EXISTS, EEXIST },
	{ ERROR_NOT_ENOUGH_MEMORY, ENOMEM },   { ERROR_OUTOFMEMORY, ENOMEM },
	{ ERROR_COMMITMENT_LIMIT, ENOMEM },    { ERROR_FILE_TOO_LARGE, EFBIG },
	{ ERROR_TOO_MANY_OPEN_FILES, EMFILE },
};

int err_windows(struct err *err, unsigned long code, const char *what)
{
	if (code == ERROR_SHARING_VIOLATION)
		return err_set(err, EBUSY, "%s: another program has it open", what);
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].windows == code)
			return err_sys(err, codes[i].code, "%s", what);
	return err_set(err, EIO, "%s: Windows error %lu", what, code);
}
