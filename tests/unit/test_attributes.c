/* SPDX-License-Identifier: MIT */
/* Owner, mode, labels and lists carried from an old file to the new one. */
#include "host/attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "buf.h"
#include "err.h"
#include "scratch.h"

#define LABEL "system_u:object_r:udev_rules_t:s0"

static int open_scratch(struct scratch *scratch, const char *path, int flags)
{
	int fd = open(scratch_path(scratch, path), flags | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static void all_is_carried_over(void **state)
{
	struct scratch *scratch = *state;
	struct attributes attributes;
	struct err err = { 0 };
	struct stat st;
	char value[16];
	int from, to;

	scratch_write(scratch, "/old", "x", 04751);
	from = open_scratch(scratch, "/old", O_RDONLY);
	if (fsetxattr(from, "user.note", "kept", 4, 0) < 0)
		skip(); /* a file system without attributes */
	if (geteuid() == 0)
		assert_int_equal(fchown(from, 12, 34), 0);
	assert_int_equal(fchmod(from, 04751), 0);
	assert_int_equal(attributes_read(&attributes, from, &err), 0);

	to = open_scratch(scratch, "/new", O_RDWR | O_CREAT | O_EXCL);
	assert_int_equal(attributes_write(&attributes, to, &err), 0);
	assert_int_equal(fstat(to, &st), 0);
	assert_int_equal(st.st_mode & 07777, 04751);
	if (geteuid() == 0) {
		assert_int_equal(st.st_uid, 12);
		assert_int_equal(st.st_gid, 34);
	}
	assert_int_equal(fgetxattr(to, "user.note", value, sizeof(value)), 4);
	assert_memory_equal(value, "kept", 4);
	attributes_done(&attributes);
	close(from);
	close(to);
}

static void a_new_file_gets_the_label_of_its_neighbours(void **state)
{
	struct scratch *scratch = *state;
	struct attributes attributes;
	struct err err = { 0 };
	int dir, fd;

	scratch_write(scratch, "/rules/.hidden", "", 0644);
	scratch_write(scratch, "/rules/50-other.rules", "", 0644);
	if (setxattr(scratch_path(scratch, "/rules/50-other.rules"), "security.selinux", LABEL,
		     sizeof(LABEL), 0) < 0)
		skip(); /* not root, or SELinux has its own mind */
	dir = open_scratch(scratch, "/rules", O_RDONLY | O_DIRECTORY);
	assert_int_equal(attributes_new(&attributes, 0644, dir, &err), 0);
	assert_int_equal(attributes.count, 1);
	assert_string_equal(attributes.list[0].name, "security.selinux");
	assert_string_equal(attributes.list[0].value, LABEL);
	fd = open_scratch(scratch, "/rules/60-sgw-init.rules", O_RDWR | O_CREAT | O_EXCL);
	assert_int_equal(attributes_write(&attributes, fd, &err), 0);
	attributes_done(&attributes);

	assert_int_equal(attributes_new(&attributes, 0600, -1, &err), 0);
	assert_int_equal(attributes.count, 0);
	attributes_done(&attributes);
	close(fd);
	close(dir);
}

static void only_attributes_of_the_name_are_kept(void **state)
{
	static const struct {
		const char *name;
		bool kept;
	} table[] = {
		{ "security.selinux", true },
		{ "system.posix_acl_access", true },
		{ "user.x", true },
		{ "trusted.md", true },
		{ "trusted.overlay.origin", false },
		{ "security.ima", false },
		{ "security.evm", false },
		{ "security.capability", false },
		{ "system.nfs4_acl", false },
		{ "", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(table); i++)
		if (attribute_kept(table[i].name) != table[i].kept)
			fail_msg("%s", table[i].name);
}

/* A secret in a file of 0600 must not become readable by what its directory gives new files. */
static void no_access_list_is_inherited(void **state)
{
	/*
	 * version 2; user::rwx, user:12:r, group::r, mask::r, other::-
	 * (acl_ea_entry, little-endian)
	 */
	static const unsigned char list[] = {
		2, 0,  0,   0,	 1,   0,   7,  0, 255, 255, 255, 255, 2,   0,	4,
		0, 12, 0,   0,	 0,   4,   0,  4, 0,   255, 255, 255, 255, 16,	0,
		4, 0,  255, 255, 255, 255, 32, 0, 0,   0,   255, 255, 255, 255,
	};
	struct scratch *scratch = *state;
	struct attributes attributes;
	struct err err = { 0 };
	int from, to;

	scratch_write(scratch, "/dir/old", "x", 0640);
	if (setxattr(scratch_path(scratch, "/dir"), "system.posix_acl_default", list, sizeof(list),
		     0) < 0)
		skip(); /* a file system without lists */
	from = open_scratch(scratch, "/dir/old", O_RDONLY);
	assert_int_equal(attributes_read(&attributes, from, &err), 0);
	to = open_scratch(scratch, "/dir/new", O_RDWR | O_CREAT | O_EXCL);
	assert_true(fgetxattr(to, "system.posix_acl_access", NULL, 0) > 0);
	assert_int_equal(attributes_write(&attributes, to, &err), 0);
	assert_int_equal(fgetxattr(to, "system.posix_acl_access", NULL, 0), -1);
	assert_int_equal(errno, ENODATA);
	attributes_done(&attributes);
	close(from);
	close(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(all_is_carried_over),
		scratch_test(a_new_file_gets_the_label_of_its_neighbours),
		cmocka_unit_test(only_attributes_of_the_name_are_kept),
		scratch_test(no_access_list_is_inherited),
	};

	return cmocka_run_group_tests_name("attributes", tests, NULL, NULL);
}
