/* SPDX-License-Identifier: MIT */
#include "os/mapping.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <winioctl.h>

#include "err.h"
#include "os/error_windows.h"

/*
 * Of a handle 32 bits count, and it is a multiple of 4: with 1 added an int
 * holds it, and none is 0.
 */
static HANDLE file_of(const struct mapping *mapping)
{
	return (HANDLE)(intptr_t)(mapping->fd - 1);
}

/*
 * Make a file of len bytes longer, taking no room for the new ones where the
 * file system can do so.
 */
static int set_length(HANDLE file, uint64_t len, struct err *err)
{
	LARGE_INTEGER end = { .QuadPart = (LONGLONG)len };
	DWORD unused;

	(void)DeviceIoControl(file, FSCTL_SET_SPARSE, NULL, 0, NULL, 0, &unused, NULL);
	if (!SetFilePointerEx(file, end, NULL, FILE_BEGIN) || !SetEndOfFile(file))
		return err_windows(err, GetLastError(), "cannot be made as long as the volume");
	return 0;
}

static int map(struct mapping *mapping, HANDLE file, uint64_t len, struct err *err)
{
	HANDLE section = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, 0, NULL);
	void *bytes = NULL;

	if (section) {
		bytes = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, (SIZE_T)len);
		CloseHandle(section); /* the view keeps it */
	}
	if (!bytes)
		return err_windows(err, GetLastError(), "cannot be mapped");
	*mapping = (struct mapping){
		.bytes = bytes,
		.len = (size_t)len,
		.fd = (int)(intptr_t)file + 1,
	};
	return 0;
}

/*
 * A file that goes with its handle: plain memory would count against the
 * system's limit in full before a byte of it is written.
 */
static HANDLE open_temp(struct err *err)
{
	char dir[MAX_PATH + 1], path[MAX_PATH + 1];
	HANDLE file;

	if (GetTempPathA(sizeof(dir), dir) == 0 || GetTempFileNameA(dir, "sgw", 0, path) == 0) {
		err_windows(err, GetLastError(), "no temporary file for a volume");
		return INVALID_HANDLE_VALUE;
	}
	file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
			   FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
	if (file == INVALID_HANDLE_VALUE) {
		err_windows(err, GetLastError(), "no temporary file for a volume");
		DeleteFileA(path);
	}
	return file;
}

int mapping_memory(struct mapping *mapping, uint64_t len, struct err *err)
{
	HANDLE file = open_temp(err);

	*mapping = (struct mapping){ .bytes = NULL };
	if (file == INVALID_HANDLE_VALUE)
		return -err->code;
	if (set_length(file, len, err) == 0 && map(mapping, file, len, err) == 0)
		return 0;
	CloseHandle(file);
	return -err->code;
}

/* A regular file of the length wanted; that nobody else has it, its share mode sees to. */
static int prepare_file(HANDLE file, uint64_t *len, struct err *err)
{
	LARGE_INTEGER size;

	if (GetFileType(file) != FILE_TYPE_DISK)
		return err_set(err, EINVAL, "is no regular file");
	if (!GetFileSizeEx(file, &size))
		return err_windows(err, GetLastError(), "cannot be looked at");
	if (*len == 0)
		*len = (uint64_t)size.QuadPart;
	else if ((uint64_t)size.QuadPart < *len && set_length(file, *len, err) < 0)
		return -err->code;
	return *len == 0 ? err_set(err, EINVAL, "is empty") : 0;
}

int mapping_file(struct mapping *mapping, const char *path, uint64_t *len, struct err *err)
{
	HANDLE file =
		CreateFileA(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, NULL,
			    *len > 0 ? OPEN_ALWAYS : OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);

	*mapping = (struct mapping){ .bytes = NULL };
	if (file == INVALID_HANDLE_VALUE) {
		err_windows(err, GetLastError(), "cannot be opened for writing");
		return err_at(err, "%s", path);
	}
	if (prepare_file(file, len, err) == 0 && map(mapping, file, *len, err) == 0)
		return 0;
	CloseHandle(file);
	return err_at(err, "%s", path);
}

int mapping_flush(const struct mapping *mapping, size_t offset, size_t len)
{
	if (mapping->fd == 0 || len == 0)
		return 0;
	if (!FlushViewOfFile(mapping->bytes + offset, len) || !FlushFileBuffers(file_of(mapping)))
		return -EIO;
	return 0;
}

void mapping_done(struct mapping *mapping)
{
	if (mapping->bytes)
		UnmapViewOfFile(mapping->bytes);
	if (mapping->fd != 0)
		CloseHandle(file_of(mapping));
	*mapping = (struct mapping){ .bytes = NULL };
}
