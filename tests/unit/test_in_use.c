/* SPDX-License-Identifier: MIT */
#include "host/in_use.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "buf.h"
#include "err.h"
#include "host/nodes.h"
#include "host/sessions.h"
#include "scratch.h"
#include "uses_json.h"

#define DEVICE "/sys/class/iscsi_session/session1/device/target1:0:0/1:0:0:0"

/* One thing that a host has: a file, a link or an entry of a table. */
struct row {
	const char *path;
	const char *text; /* "-> TO" makes a link */
};

static void build(const struct scratch *scratch, const struct row *rows)
{
	scratch_write(scratch, DEVICE "/block/sdb/dev", "8:16\n", 0644);
	scratch_write(scratch, DEVICE "/scsi_generic/sg1/dev", "21:1\n", 0444);
	scratch_write(scratch, "/dev/keep", "", 0644);
	for (; rows->path; rows++) {
		if (strncmp(rows->text, "-> ", 3) != 0) {
			scratch_write(scratch, rows->path, rows->text, 0644);
			continue;
		}
		/* Its directory is made by a file that goes at once. */
		scratch_write(scratch, rows->path, "", 0644);
		assert_int_equal(unlink(scratch_path(scratch, rows->path)), 0);
		assert_int_equal(symlink(rows->text + 3, scratch_path(scratch, rows->path)), 0);
	}
}

/* A line each: kind, by whom, what ends it. */
static void tell(const struct scratch *scratch, uint32_t type, struct buf *out)
{
	struct device device = { .name = "sdb", .path = DEVICE, .type = type };
	struct host_use host;
	struct nodes nodes;
	struct uses uses;
	struct err err = { 0 };

	if (host_use_load(&host, &scratch->paths, &err) < 0 ||
	    nodes_load(&nodes, &scratch->paths, &device, &err) < 0 ||
	    in_use_find(&host, &nodes, &uses, &err) < 0)
		fail_msg("%s: %s", err.place, err.reason);
	for (size_t i = 0; i < uses.count; i++)
		buf_addf(out, "%s: %s: %s\n", use_word(uses.items[i].kind), uses.items[i].by,
			 uses.items[i].next ? uses.items[i].next : "-");
	uses_done(&uses);
	nodes_done(&nodes);
	host_use_done(&host);
}

#define PARTITION(n)                                            \
	{ DEVICE "/block/sdb/sdb" #n "/partition", #n "\n" },   \
	{                                                       \
		DEVICE "/block/sdb/sdb" #n "/dev", "8:" #n "\n" \
	}
/* What is built on a block device: its own directory, and a link among the other's holders. */
#define HOLDER(of, name, number)                                           \
	{ "/sys/devices/virtual/block/" name "/dev", number "\n" },        \
	{                                                                  \
		of "/holders/" name, "-> /sys/devices/virtual/block/" name \
	}
#define VIRTUAL "/sys/devices/virtual/block/"
#define OURS "/proc/self/mountinfo"
#define MOUNT(id, point, source) "36 35 " id " / " point " rw - ext4 " source " rw\n"

#define FIELDS_8 "shared:1 master:2 shared:1 master:2 shared:1 master:2 shared:1 master:2 "
#define FIELDS_64 FIELDS_8 FIELDS_8 FIELDS_8 FIELDS_8 FIELDS_8 FIELDS_8 FIELDS_8 FIELDS_8

struct use_case {
	const char *title;
	struct row rows[16];
	const char *uses;
};

static void expect(const struct use_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		CLEANUP(buf_done) struct buf found = { 0 };
		struct scratch scratch;

		scratch_init(&scratch);
		build(&scratch, cases[i].rows);
		tell(&scratch, DEVICE_DISK, &found);
		if (strcmp(buf_text(&found), cases[i].uses) != 0)
			fail_msg("%s:\n%sexpected:\n%s", cases[i].title, buf_text(&found),
				 cases[i].uses);
		scratch_done(&scratch);
	}
}

static void names_every_user_of_a_disk(void **state)
{
	static const struct use_case cases[] = {
		{ "nobody", { { OURS, MOUNT("8:32", "/data", "/dev/sdc") } }, "" },
		{ "the disk is mounted",
		  { { OURS, MOUNT("8:16", "/data", "/dev/sdb") } },
		  "mount: mounted on /data (sdb): umount /data\n" },
		{ "a partition is mounted twice, once below a name of many words",
		  { PARTITION(1),
		    { OURS,
		      MOUNT("8:1", "/my\\040data", "/dev/sdb1") MOUNT("8:1", "/b", "/dev/sdb1") } },
		  "mount: mounted on /my data (sdb1): umount '/my data'\n"
		  "mount: mounted on /b (sdb1): umount /b\n" },
		{ "a file system that has a number of its own",
		  { { OURS, "36 35 0:45 /sub /data rw shared:7 master:2 - btrfs /dev/sdb rw\n" } },
		  "mount: mounted on /data (sdb): umount /data\n" },
		{ "it is named by a link",
		  { { "/dev/disk/by-path/x", "-> ../../sdb" },
		    { OURS, "36 35 0:45 / /data rw - btrfs /dev/disk/by-path/x rw\n" } },
		  "mount: mounted on /data (sdb): umount /data\n" },
		{ "the root",
		  { PARTITION(2), { OURS, MOUNT("8:2", "/", "/dev/sdb2") } },
		  "root: this host's / (sdb2): -\n" },
		{ "the root on LVM, and /boot beside it",
		  { PARTITION(1),
		    PARTITION(2),
		    HOLDER(DEVICE "/block/sdb/sdb2", "dm-0", "254:0"),
		    { VIRTUAL "dm-0/dm/name", "vg-root\n" },
		    { VIRTUAL "dm-0/dm/uuid", "LVM-abc\n" },
		    { OURS, MOUNT("254:0", "/", "/dev/mapper/vg-root")
				    MOUNT("8:1", "/boot", "/dev/sdb1") } },
		  "root: this host's / (dm-0): -\n"
		  "root: this host's /boot (sdb1): -\n"
		  "holder: the LVM volume vg-root (dm-0 on sdb2): lvchange -an "
		  "/dev/mapper/vg-root\n" },
		{ "the root of process 1, where ours is another, and what it mounts besides",
		  { { OURS, MOUNT("8:32", "/", "/dev/sdc") },
		    { "/proc/1/mountinfo",
		      MOUNT("8:16", "/", "/dev/sdb") MOUNT("8:16", "/data", "/dev/sdb") },
		    { "/proc/12/mountinfo", MOUNT("8:16", "/", "/dev/sdb") } },
		  "root: this host's / (sdb): -\n"
		  "mount: mounted on /data in the namespace of process 1 (sdb): "
		  "nsenter -m -t 1 umount /data\n" },
		{ "a mount that another namespace alone has",
		  { { OURS, MOUNT("8:32", "/", "/dev/sdc") },
		    { "/proc/77/mountinfo", MOUNT("8:16", "/", "/dev/sdb") } },
		  "mount: mounted on / in the namespace of process 77 (sdb): "
		  "nsenter -m -t 77 umount /\n" },
		{ "a mount that all namespaces have is told once",
		  { { OURS, MOUNT("8:16", "/data", "/dev/sdb") },
		    { "/proc/77/mountinfo", MOUNT("8:16", "/data", "/dev/sdb") },
		    { "/proc/78/mountinfo", MOUNT("8:16", "/data", "/dev/sdb") } },
		  "mount: mounted on /data (sdb): umount /data\n" },
		{ "swap",
		  { PARTITION(1),
		    { "/proc/swaps", "Filename Type Size Used Priority\n"
				     "/dev/sdc1 partition 1 0 -2\n/images/sdb1 file 1 0 -2\n"
				     "/dev/sdb1                partition\t1\t0\t-3\n" } },
		  "swap: swap (sdb1): swapoff /dev/sdb1\n" },
		{ "a swap file, which goes before the mount that it lies in",
		  { { OURS, MOUNT("8:1", "/", "/dev/sda1") MOUNT("8:32", "/mnt", "/dev/sdc")
				    MOUNT("8:16", "/mnt", "/dev/sdb")
					    MOUNT("8:48", "/mnt/a", "/dev/sdd") },
		    { "/proc/swaps",
		      "Filename Type Size Used Priority\n/mnt/my\\040swap file 1 0 -2\n"
		      "/mnt/a/swap file 1 0 -2\n/swap file 1 0 -2\n"
		      "/mntb/swap file 1 0 -2\n" } },
		  "swap: swap in /mnt/my swap (sdb): swapoff '/mnt/my swap'\n"
		  "mount: mounted on /mnt (sdb): umount /mnt\n" },
		{ "a process has it open, twice",
		  { { "/proc/123/fd/0", "-> /dev/null" },
		    { "/proc/123/fd/3", "-> /dev/sdb" },
		    { "/proc/123/fd/4", "-> /dev/sdb" },
		    { "/proc/123/comm", "dd\n" },
		    { "/proc/124/fd/3", "-> socket:[9]" } },
		  "open: open by dd, process 123 (sdb): kill 123\n" },
		{ "a process has its generic node open",
		  { { "/proc/9/fd/3", "-> /dev/sg1" }, { "/proc/9/comm", "sg_dd\n" } },
		  "open: open by sg_dd, process 9 (sg1): kill 9\n" },
		{ "a loop device",
		  { { "/sys/block/loop3/loop/backing_file", "/dev/sdb\n" },
		    { "/sys/block/loop4/loop/backing_file", "/images/x\n" } },
		  "loop: loop3 (sdb): losetup -d /dev/loop3\n" },
		{ "an array",
		  { HOLDER(DEVICE "/block/sdb", "md0", "9:0"),
		    { VIRTUAL "md0/md/level", "raid1\n" },
		    { OURS, MOUNT("9:0", "/data", "/dev/md0") } },
		  "mount: mounted on /data (md0): umount /data\n"
		  "holder: the raid1 array md0 (on sdb): mdadm --stop /dev/md0\n" },
		{ "something else that is built on it",
		  { HOLDER(DEVICE "/block/sdb", "bcache0", "252:0") },
		  "holder: bcache0, which is built on sdb: -\n" },
		{ "a multipath map, a partition of it, and what encrypts that; from above",
		  { HOLDER(DEVICE "/block/sdb", "dm-1", "254:1"),
		    { VIRTUAL "dm-1/dm/name", "mpatha\n" },
		    { VIRTUAL "dm-1/dm/uuid", "mpath-360\n" },
		    HOLDER(VIRTUAL "dm-1", "dm-2", "254:2"),
		    { VIRTUAL "dm-2/dm/name", "mpatha-part1\n" },
		    { VIRTUAL "dm-2/dm/uuid", "part1-mpath-360\n" },
		    HOLDER(VIRTUAL "dm-2", "dm-3", "254:3"),
		    { VIRTUAL "dm-3/dm/name", "safe\n" },
		    { VIRTUAL "dm-3/dm/uuid", "CRYPT-LUKS2\n" } },
		  "holder: the encrypted device safe (dm-3 on dm-2): cryptsetup close safe\n"
		  "holder: the device-mapper device mpatha-part1 (dm-2 on dm-1): dmsetup remove "
		  "mpatha-part1\n"
		  "holder: the multipath map mpatha (dm-1 on sdb): multipath -f mpatha\n" },
		{ "devices that hold each other",
		  { HOLDER(DEVICE "/block/sdb", "dm-1", "254:1"),
		    HOLDER(VIRTUAL "dm-1", "dm-2", "254:2"),
		    { VIRTUAL "dm-2/holders/dm-1", "-> /sys/devices/virtual/block/dm-1" } },
		  "holder: dm-2, which is built on dm-1: -\n"
		  "holder: dm-1, which is built on sdb: -\n" },
		{ "tables that make no sense",
		  { { OURS, "\n36\n36 35 8:16 /\n36 35 x:y / /p rw - ext4 /dev/sdb rw\n"
			    "36 35 8:17 / /p rw ext4 /dev/sdb rw\n" },
		    { "/proc/swaps", "\n/dev/sdb\n" } },
		  "" },
	};

	(void)state;
	expect(cases, ARRAY_LEN(cases));
}

/* Where the host tells less than it should, or more, a disk does not pass for unused. */
static void misses_no_user_of_a_disk(void **state)
{
	static const struct use_case cases[] = {
		{ "more fields before the dash than anybody counts on",
		  { { OURS, "36 35 0:45 / /data rw " FIELDS_64 "- btrfs /dev/sdb rw\n" } },
		  "mount: mounted on /data (sdb): umount /data\n" },
		{ "a mount without a dash",
		  { { OURS, "36 35 8:16 / /data rw ext4 /dev/sdb rw\n" } },
		  "mount: mounted on /data (sdb): umount /data\n" },
		{ "a disk and a partition without numbers, by their names",
		  { { DEVICE "/block/sdb/dev", "" },
		    { DEVICE "/block/sdb/sdb1/partition", "1\n" },
		    { OURS, MOUNT("8:16", "/a", "/dev/sdb") MOUNT("8:1", "/b", "/dev/sdb1")
				    MOUNT("8:2", "/c", "/dev/sdb2") } },
		  "mount: mounted on /a (sdb): umount /a\n"
		  "mount: mounted on /b (sdb1): umount /b\n" },
		{ "a holder without numbers, and what is built on it",
		  { { VIRTUAL "dm-0/dm/name", "one\n" },
		    { DEVICE "/block/sdb/holders/dm-0", "-> " VIRTUAL "dm-0" },
		    HOLDER(VIRTUAL "dm-0", "dm-1", "254:1"),
		    { OURS, MOUNT("254:0", "/a", "/dev/dm-0") MOUNT("254:1", "/", "/dev/dm-1") } },
		  "root: this host's / (dm-1): -\n"
		  "mount: mounted on /a (dm-0): umount /a\n"
		  "holder: dm-1, which is built on dm-0: -\n"
		  "holder: the device-mapper device one (dm-0 on sdb): dmsetup remove one\n" },
		{ "a holder that leads nowhere",
		  { { DEVICE "/block/sdb/holders/dm-0", "-> /sys/gone/block/dm-0" },
		    { OURS, MOUNT("254:0", "/", "/dev/dm-0") } },
		  "root: this host's / (dm-0): -\n"
		  "holder: dm-0, which is built on sdb: -\n" },
		{ "swap whose node was removed",
		  { { "/proc/swaps", "Filename Type Size Used Priority\n"
				     "/dev/sdb\\040(deleted) partition 1 0 -2\n" } },
		  "swap: swap (sdb): swapoff /dev/sdb\n" },
	};

	(void)state;
	expect(cases, ARRAY_LEN(cases));
}

static void what_the_host_runs_from_is_its_root(void **state)
{
	static const struct {
		const char *point;
		bool root;
	} rows[] = {
		{ "/", true },	  { "/boot", true },  { "/boot/efi", true }, { "/usr", true },
		{ "/var", true }, { "/home", false }, { "/var/lib", false }, { "/boot/x", false },
	};
	static const char *const tables[] = { OURS, "/proc/1/mountinfo" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows) * ARRAY_LEN(tables); i++) {
		CLEANUP(buf_done) struct buf found = { 0 };
		const char *point = rows[i / 2].point, *table = tables[i % 2];
		char line[128];
		const struct row files[] = { { table, line }, { NULL, NULL } };
		struct scratch scratch;

		snprintf(line, sizeof(line), "36 35 8:16 / %s rw - ext4 /dev/sdb rw\n", point);
		scratch_init(&scratch);
		build(&scratch, files);
		tell(&scratch, DEVICE_DISK, &found);
		if ((strncmp(buf_text(&found), "root: ", 6) == 0) != rows[i / 2].root ||
		    found.len == 0)
			fail_msg("%s of %s: %s", point, table, buf_text(&found));
		scratch_done(&scratch);
	}
}

static void the_last_of_many_partitions_counts_too(void **state)
{
	enum { PARTITIONS = 300 };
	CLEANUP(buf_done) struct buf found = { 0 };
	static const struct row rows[] = {
		{ OURS, MOUNT("259:299", "/last", "/dev/sdb299") },
		{ NULL, NULL },
	};
	struct scratch scratch;

	(void)state;
	scratch_init(&scratch);
	build(&scratch, rows);
	for (unsigned i = 0; i < PARTITIONS; i++) {
		char path[160], numbers[16];

		snprintf(path, sizeof(path), DEVICE "/block/sdb/sdb%u/partition", i);
		scratch_write(&scratch, path, "1\n", 0444);
		snprintf(path, sizeof(path), DEVICE "/block/sdb/sdb%u/dev", i);
		snprintf(numbers, sizeof(numbers), "259:%u\n", i);
		scratch_write(&scratch, path, numbers, 0444);
	}
	tell(&scratch, DEVICE_DISK, &found);
	assert_string_equal(buf_text(&found), "mount: mounted on /last (sdb299): umount /last\n");
	scratch_done(&scratch);
}

/* A directory in a table's place is one that root cannot read either. */
static void fails_where_a_table_cannot_be_read(void **state)
{
	static const struct {
		const char *path;
		int rc;
	} rows[] = {
		{ "/proc/self/mountinfo", -EISDIR },
		{ "/proc/1/mountinfo", -EISDIR },
		{ "/proc/77/mountinfo", -EISDIR },
		{ "/proc/swaps", -EISDIR },
		{ "/proc/nothing", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scratch scratch;
		struct host_use host;
		struct err err = { 0 };
		char below[64];
		int rc;

		scratch_init(&scratch);
		snprintf(below, sizeof(below), "%s/x", rows[i].path);
		scratch_write(&scratch, below, "", 0444);
		rc = host_use_load(&host, &scratch.paths, &err);
		if (rc != rows[i].rc || (rc < 0) != (strstr(err.place, rows[i].path) != NULL))
			fail_msg("%s: %d, %s: %s", rows[i].path, rc, err.place, err.reason);
		host_use_done(&host);
		scratch_done(&scratch);
	}
}

static void fails_where_a_table_is_endless(void **state)
{
	struct scratch scratch;
	struct host_use host;
	struct err err = { 0 };

	(void)state;
	scratch_init(&scratch);
	scratch_write(&scratch, OURS, "", 0644);
	assert_int_equal(truncate(scratch_path(&scratch, OURS), (16 << 20) + 1), 0);
	assert_int_equal(host_use_load(&host, &scratch.paths, &err), -EFBIG);
	host_use_done(&host);
	scratch_done(&scratch);
}

/* What is to be typed goes into a shell, and the name is whatever somebody called it. */
static void names_of_others_are_quoted_in_what_to_type(void **state)
{
	static const struct use_case cases[] = {
		{ "a map",
		  { HOLDER(DEVICE "/block/sdb", "dm-0", "254:0"),
		    { VIRTUAL "dm-0/dm/name", "x;reboot '$(id)' y\n" } },
		  "holder: the device-mapper device x;reboot '$(id)' y (dm-0 on sdb): "
		  "dmsetup remove 'x;reboot '\"'\"'$(id)'\"'\"' y'\n" },
		{ "a map whose name dmsetup mangled",
		  { HOLDER(DEVICE "/block/sdb", "dm-0", "254:0"),
		    { VIRTUAL "dm-0/dm/name", "evil\\x20name\n" } },
		  "holder: the device-mapper device evil\\x20name (dm-0 on sdb): "
		  "dmsetup remove 'evil\\''x20name'\n" },
		{ "a map called like an option",
		  { HOLDER(DEVICE "/block/sdb", "dm-0", "254:0"),
		    { VIRTUAL "dm-0/dm/name", "--force\n" } },
		  "holder: the device-mapper device --force (dm-0 on sdb): "
		  "dmsetup remove -- --force\n" },
		{ "a volume",
		  { HOLDER(DEVICE "/block/sdb", "dm-0", "254:0"),
		    { VIRTUAL "dm-0/dm/uuid", "LVM-abc\n" },
		    { VIRTUAL "dm-0/dm/name", "a b\n" } },
		  "holder: the LVM volume a b (dm-0 on sdb): lvchange -an '/dev/mapper/a b'\n" },
		{ "what encrypts it",
		  { HOLDER(DEVICE "/block/sdb", "dm-0", "254:0"),
		    { VIRTUAL "dm-0/dm/uuid", "CRYPT-LUKS2\n" },
		    { VIRTUAL "dm-0/dm/name", "a&b\n" } },
		  "holder: the encrypted device a&b (dm-0 on sdb): cryptsetup close 'a&b'\n" },
		{ "an array",
		  { HOLDER(DEVICE "/block/sdb", "md_$x", "9:0"),
		    { VIRTUAL "md_$x/md/level", "raid1\n" } },
		  "holder: the raid1 array md_$x (on sdb): mdadm --stop '/dev/md_$x'\n" },
	};

	(void)state;
	expect(cases, ARRAY_LEN(cases));
}

static void a_tape_is_in_use_by_any_of_its_modes(void **state)
{
	CLEANUP(buf_done) struct buf found = { 0 };
	static const struct row rows[] = {
		{ DEVICE "/scsi_tape/st0/dev", "9:0\n" },
		{ DEVICE "/scsi_tape/nst0a/dev", "9:224\n" },
		{ "/proc/55/fd/7", "-> /dev/nst0a" },
		{ "/proc/55/comm", "tar\n" },
		{ NULL, NULL },
	};
	struct scratch scratch;

	(void)state;
	scratch_init(&scratch);
	build(&scratch, rows);
	tell(&scratch, DEVICE_TAPE, &found);
	assert_string_equal(buf_text(&found), "open: open by tar, process 55 (nst0a): kill 55\n");
	scratch_done(&scratch);
}

static void udevd_only_passes_by(void **state)
{
	static const struct {
		const char *process, *parent;
		bool passing;
	} rows[] = {
		{ "(udev-worker)\n", "systemd-udevd\n", true },
		{ "systemd-udevd\n", "systemd\n", true },
		{ "udevd\n", "init\n", true },
		{ "scsi_id\n", "(udev-worker)\n", true },
		{ "scsi_id\n", "bash\n", false },
		{ "dd\n", "bash\n", false },
		{ "udevadm\n", "bash\n", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row files[] = {
			{ "/proc/7/fd/3", "-> /dev/sdb" },
			{ "/proc/7/comm", rows[i].process },
			{ "/proc/7/status", "Name:\tit\nPid:\t7\nPPid:\t6\n" },
			{ "/proc/6/comm", rows[i].parent },
			{ NULL, NULL },
		};
		struct device device = { .name = "sdb", .path = DEVICE };
		struct scratch scratch;
		struct host_use host;
		struct nodes nodes;
		struct uses uses;
		struct err err = { 0 };

		scratch_init(&scratch);
		build(&scratch, files);
		assert_int_equal(host_use_load(&host, &scratch.paths, &err), 0);
		assert_int_equal(nodes_load(&nodes, &scratch.paths, &device, &err), 0);
		assert_int_equal(in_use_find(&host, &nodes, &uses, &err), 0);
		assert_int_equal(uses.count, 1);
		if (uses.items[0].passing != rows[i].passing)
			fail_msg("%s of %s", rows[i].process, rows[i].parent);
		uses_done(&uses);
		nodes_done(&nodes);
		host_use_done(&host);
		scratch_done(&scratch);
	}
}

/* One document for devices and disconnect, whatever bytes a name has. */
static void uses_are_objects_in_json(void **state)
{
	static const struct {
		enum use_kind kind;
		unsigned pid;
		const char *by, *next, *json;
	} rows[] = {
		{ USE_MOUNT, 0, "mounted on /data (sdb)", "umount /data",
		  "[{\"kind\":\"mount\",\"by\":\"mounted on /data (sdb)\",\"process\":null,"
		  "\"next\":\"umount /data\"}]" },
		{ USE_OPEN, 7, "open by \xff (sdb)", "kill 7",
		  "[{\"kind\":\"open\",\"by\":\"open by \\\\xff (sdb)\",\"process\":7,"
		  "\"next\":\"kill 7\"}]" },
		{ USE_ROOT, 0, "this host's / (sdb)", NULL,
		  "[{\"kind\":\"root\",\"by\":\"this host's / (sdb)\",\"process\":null,"
		  "\"next\":null}]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(free_ptr) char *by = strdup(rows[i].by);
		CLEANUP(free_ptr) char *next = rows[i].next ? strdup(rows[i].next) : NULL;
		struct use use = {
			.kind = rows[i].kind, .by = by, .next = next, .pid = rows[i].pid
		};
		json_t *list = uses_json(&(struct uses){ .items = &use, .count = 1 });
		CLEANUP(free_ptr) char *found = json_dumps(list, JSON_COMPACT);

		assert_string_equal(found, rows[i].json);
		json_decref(list);
	}
}

/* What no fake root can show: that the device counts, not the name of the node. */
static void an_open_device_is_found_on_the_live_host(void **state)
{
	struct paths paths;
	struct host_use host;
	struct err err = { 0 };
	size_t found = 0;
	int ends[2];
	char byte;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		/* 5:2: everybody may open it. */
		int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY);

		if (write(ends[1], fd >= 0 ? "y" : "n", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	if (byte == 'n') {
		kill(child, SIGKILL);
		skip();
	}
	assert_int_equal(paths_init(&paths, NULL, &err), 0);
	assert_int_equal(host_use_load(&host, &paths, &err), 0);
	for (size_t i = 0; i < host.count; i++)
		found += host.items[i].kind == USE_OPEN && host.items[i].pid == (unsigned)child &&
			 !host.items[i].id.block && host.items[i].id.major == 5 &&
			 host.items[i].id.minor == 2;
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(found, 1);
	host_use_done(&host);
	paths_done(&paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_every_user_of_a_disk),
		cmocka_unit_test(misses_no_user_of_a_disk),
		cmocka_unit_test(what_the_host_runs_from_is_its_root),
		cmocka_unit_test(the_last_of_many_partitions_counts_too),
		cmocka_unit_test(fails_where_a_table_cannot_be_read),
		cmocka_unit_test(fails_where_a_table_is_endless),
		cmocka_unit_test(names_of_others_are_quoted_in_what_to_type),
		cmocka_unit_test(a_tape_is_in_use_by_any_of_its_modes),
		cmocka_unit_test(udevd_only_passes_by),
		cmocka_unit_test(uses_are_objects_in_json),
		cmocka_unit_test(an_open_device_is_found_on_the_live_host),
	};

	return cmocka_run_group_tests_name("in_use", tests, NULL, NULL);
}
