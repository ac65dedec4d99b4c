/* SPDX-License-Identifier: MIT */
#include "host/owner.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "err.h"
#include "number.h"

enum { STAT_START_FIELD = 22 }; /* proc(5): starttime */

/*
 * Processes are those of the running system, whatever tree --root names, so
 * their files are read past paths. An empty text where it cannot be read.
 */
static void read_proc(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, out, size - 1);

	out[len < 0 ? 0 : len] = '\0';
	if (fd >= 0)
		close(fd);
}

/* 0 where there is no such process, or a dead one that nobody has waited for. */
static uint64_t process_start(uint32_t pid)
{
	char path[64], text[2048], *field, *next;
	uint64_t start = 0;
	struct err err;
	int i;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	read_proc(path, text, sizeof(text));
	/* Field 2 is the program's name in parentheses, with whatever bytes it likes. */
	field = strrchr(text, ')');
	if (!field || strncmp(field, ") Z", 3) == 0 || strncmp(field, ") X", 3) == 0)
		return 0;
	for (i = 3; i <= STAT_START_FIELD; i++) {
		field = strchr(field, ' ');
		if (!field)
			return 0;
		field++;
	}
	next = strchr(field, ' ');
	if (next)
		*next = '\0';
	return parse_u64(field, 0, UINT64_MAX, &start, &err) == 0 ? start : 0;
}

void owner_self(struct owner *owner)
{
	ssize_t len;

	*owner = (struct owner){ .pid = (uint32_t)getpid() };
	owner->start = process_start(owner->pid);
	read_proc("/proc/sys/kernel/random/boot_id", owner->boot, sizeof(owner->boot));
	owner->boot[strcspn(owner->boot, "\n")] = '\0';
	len = readlink("/proc/self/ns/pid", owner->names, sizeof(owner->names) - 1);
	owner->names[len < 0 ? 0 : len] = '\0';
}

int owner_format(const struct owner *owner, char *out, size_t size)
{
	return snprintf(out, size, "sgw-init %u %ju %s %s\n", owner->pid, (uintmax_t)owner->start,
			owner->boot[0] ? owner->boot : "-", owner->names[0] ? owner->names : "-");
}

bool owner_parse(struct owner *owner, char *text)
{
	const char *words[5];
	char *rest = text, *word;
	struct err err;
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++) {
		word = strsep(&rest, " \n");
		if (!word || !*word)
			return false;
		words[i] = word;
	}
	*owner = (struct owner){ 0 };
	snprintf(owner->boot, sizeof(owner->boot), "%s", words[3]);
	snprintf(owner->names, sizeof(owner->names), "%s", words[4]);
	return strcmp(words[0], "sgw-init") == 0 &&
	       parse_u32(words[1], 1, INT32_MAX, &owner->pid, &err) == 0 &&
	       parse_u64(words[2], 0, UINT64_MAX, &owner->start, &err) == 0;
}

bool owner_dead(const struct owner *owner)
{
	struct owner self;

	owner_self(&self);
	if (!self.boot[0] || !self.start)
		return false; /* without /proc nobody can be told dead */
	if (strcmp(owner->boot, self.boot) != 0)
		return true;
	if (strcmp(owner->names, self.names) != 0)
		return false; /* a container's: its numbers are not ours */
	return process_start(owner->pid) != owner->start;
}
