/* SPDX-License-Identifier: MIT */
#include "os/files.h"

#include <aclapi.h>
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <sddl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <windows.h>

#include "err.h"
#include "os/error_windows.h"
#include "os/random.h"

enum {
	READ_STEP = 64 * 1024,
	TEMP_TRIES = 16,
	OTHERS = 077, /* a mode without these bits is for its owner alone */
};

/* Full access for the owner, the system and administrators, and nothing inherited. */
static const char owner_alone[] = "D:P(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)";

static void close_fd(int *fd)
{
	if (*fd >= 0)
		_close(*fd);
}

static int read_all(int fd, size_t max, struct buf *out, struct err *err)
{
	size_t limit = max < SIZE_MAX ? max + 1 : max; /* one more tells "all" from "too much" */
	size_t total = 0;

	while (total < limit) {
		size_t step = limit - total < READ_STEP ? limit - total : READ_STEP;
		char *room = buf_room(out, step);
		int got;

		if (!room)
			return err_oom(err);
		got = _read(fd, room, (unsigned)step);
		if (got < 0)
			return err_sys(err, errno, "cannot be read");
		if (got == 0)
			break;
		total += (size_t)got;
		out->len += (size_t)got;
		out->data[out->len] = '\0';
	}
	if (total > max)
		return err_set(err, EFBIG, "has more than %zu bytes, so it is not what is expected",
			       max);
	buf_add(out, "", 0); /* an empty file is an empty text, not NULL */
	return out->failed ? err_oom(err) : 0;
}

static int open_regular(const char *path, struct err *err)
{
	DWORD attributes = GetFileAttributesA(path);
	int fd;

	if (attributes != INVALID_FILE_ATTRIBUTES && attributes & FILE_ATTRIBUTE_DIRECTORY)
		return err_set(err, EISDIR, "is a directory, not a file");
	fd = _open(path, _O_RDONLY | _O_BINARY | _O_NOINHERIT);
	if (fd < 0)
		return err_sys(err, errno, "cannot be opened");
	/* CON, NUL and the like open as files do. */
	if (GetFileType((HANDLE)_get_osfhandle(fd)) == FILE_TYPE_DISK)
		return fd;
	_close(fd);
	return err_set(err, EINVAL, "is not a regular file: to read from a pipe, name -");
}

/* One that any process of this user may act for, or who may do anything here. */
static bool is_trusted(PSID sid, PSID owner)
{
	return EqualSid(sid, owner) || IsWellKnownSid(sid, WinLocalSystemSid) ||
	       IsWellKnownSid(sid, WinBuiltinAdministratorsSid) ||
	       IsWellKnownSid(sid, WinCreatorOwnerRightsSid);
}

static bool lets_others_in(PACL list, PSID owner)
{
	if (!list) /* no list at all lets everybody in */
		return true;
	for (DWORD i = 0; i < list->AceCount; i++) {
		ACCESS_ALLOWED_ACE *entry;

		if (!GetAce(list, i, (void **)&entry))
			return true;
		if (entry->Header.AceType == ACCESS_ALLOWED_ACE_TYPE &&
		    !(entry->Header.AceFlags & INHERIT_ONLY_ACE) &&
		    entry->Mask & (FILE_GENERIC_READ | FILE_GENERIC_WRITE) & ~(DWORD)SYNCHRONIZE &&
		    !is_trusted(&entry->SidStart, owner))
			return true;
	}
	return false;
}

static int check_private(const char *path, int fd, struct err *err)
{
	PSECURITY_DESCRIPTOR descriptor = NULL;
	PSID owner = NULL;
	PACL list = NULL;
	DWORD rc = GetSecurityInfo((HANDLE)_get_osfhandle(fd), SE_FILE_OBJECT,
				   OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner,
				   NULL, &list, NULL, &descriptor);
	bool open = rc == ERROR_SUCCESS && lets_others_in(list, owner);

	LocalFree(descriptor);
	if (rc != ERROR_SUCCESS)
		return err_set(err, EPERM, "who may read it cannot be told: Windows error %lu", rc);
	if (open)
		return err_set(err, EPERM,
			       "holds secrets, but other users may get at them: run: icacls \"%s\" "
			       "/inheritance:r /grant:r \"%%USERNAME%%:F\"",
			       path);
	return 0;
}

int file_read(const char *path, size_t max, struct buf *out, struct err *err)
{
	CLEANUP(close_fd) int fd = -1;

	if (strcmp(path, "-") == 0) {
		_setmode(_fileno(stdin), _O_BINARY);
		if (read_all(_fileno(stdin), max, out, err) < 0)
			return err_at(err, "standard input");
		return 0;
	}
	fd = open_regular(path, err);
	if (fd < 0 || read_all(fd, max, out, err) < 0)
		return err_at(err, "%s", path);
	return 0;
}

int file_read_private(const char *path, size_t max, struct buf *out, struct err *err)
{
	CLEANUP(close_fd) int fd = -1;

	out->secret = true;
	if (strcmp(path, "-") == 0)
		return file_read(path, max, out, err);
	fd = open_regular(path, err);
	if (fd < 0 || check_private(path, fd, err) < 0 || read_all(fd, max, out, err) < 0)
		return err_at(err, "%s", path);
	return 0;
}

static int write_all(HANDLE file, const char *bytes, size_t len, struct err *err)
{
	while (len > 0) {
		DWORD put = 0;

		if (!WriteFile(file, bytes, (DWORD)(len < READ_STEP ? len : READ_STEP), &put, NULL))
			return err_windows(err, GetLastError(), "cannot be written");
		bytes += put;
		len -= put;
	}
	return FlushFileBuffers(file)
		       ? 0
		       : err_windows(err, GetLastError(), "cannot be written to disk");
}

static HANDLE create_new(const char *path, unsigned mode)
{
	SECURITY_ATTRIBUTES attributes = { .nLength = sizeof(attributes) };
	HANDLE file;
	bool secret = (mode & OTHERS) == 0;

	if (secret && !ConvertStringSecurityDescriptorToSecurityDescriptorA(
			      owner_alone, SDDL_REVISION_1, &attributes.lpSecurityDescriptor, NULL))
		return INVALID_HANDLE_VALUE;
	file = CreateFileA(path, GENERIC_WRITE, 0, secret ? &attributes : NULL, CREATE_NEW,
			   FILE_ATTRIBUTE_NORMAL, NULL);
	LocalFree(attributes.lpSecurityDescriptor);
	return file;
}

/* Open a new file beside path; *temp is for the caller to free. */
static HANDLE open_temp(const char *path, unsigned mode, char **temp, struct err *err)
{
	size_t len = strlen(path);

	while (len > 0 && !strchr("/\\:", path[len - 1]))
		len--;
	for (int i = 0; i < TEMP_TRIES; i++) {
		CLEANUP(buf_done) struct buf name = { 0 };
		uint64_t random;
		HANDLE file;

		if (random_bytes(&random, sizeof(random), err) < 0)
			return INVALID_HANDLE_VALUE;
		buf_add(&name, path, len);
		buf_addf(&name, ".sgw-%016llx.tmp", (unsigned long long)random);
		if (name.failed) {
			err_oom(err);
			return INVALID_HANDLE_VALUE;
		}
		file = create_new(buf_text(&name), mode);
		if (file != INVALID_HANDLE_VALUE) {
			*temp = buf_take(&name);
			return file;
		}
		if (GetLastError() != ERROR_FILE_EXISTS) {
			err_windows(err, GetLastError(), "cannot be created");
			return INVALID_HANDLE_VALUE;
		}
	}
	err_set(err, EEXIST, "no free name for a temporary file beside it");
	return INVALID_HANDLE_VALUE;
}

static int replace(const char *path, const void *bytes, size_t len, unsigned mode, struct err *err)
{
	CLEANUP(free_ptr) char *temp = NULL;
	HANDLE file = open_temp(path, mode, &temp, err);
	int rc;

	if (file == INVALID_HANDLE_VALUE)
		return -err->code;
	rc = write_all(file, bytes, len, err);
	CloseHandle(file);
	if (rc == 0 && !MoveFileExA(temp, path, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH))
		rc = err_windows(err, GetLastError(), "cannot be put in place");
	if (rc < 0)
		DeleteFileA(temp);
	return rc;
}

int file_write(const char *path, const void *bytes, size_t len, unsigned mode, struct err *err)
{
	DWORD attributes = GetFileAttributesA(path);
	int rc;

	/*
	 * NUL, CON and COM1 have the attributes of no directory and no disk:
	 * the rename refuses them.
	 */
	if (attributes != INVALID_FILE_ATTRIBUTES && attributes & FILE_ATTRIBUTE_DIRECTORY)
		rc = err_set(err, EISDIR, "is not a regular file, and it would be replaced by one");
	else
		rc = replace(path, bytes, len, mode, err);
	return rc < 0 ? err_at(err, "%s", path) : 0;
}
