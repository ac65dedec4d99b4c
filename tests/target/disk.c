/* SPDX-License-Identifier: MIT */
/* The volume of a Volume Gateway (SBC-3). */
#include "device.h"

#include <string.h>

#include "iscsi/bytes.h"
#include "persona.h"
#include "scsi.h"

enum {
	READ_6 = 0x08,
	WRITE_6 = 0x0a,
	START_STOP_UNIT = 0x1b,
	READ_CAPACITY_10 = 0x25,
	READ_10 = 0x28,
	WRITE_10 = 0x2a,
	WRITE_AND_VERIFY_10 = 0x2e,
	VERIFY_10 = 0x2f,
	SYNCHRONIZE_CACHE_10 = 0x35,
	READ_16 = 0x88,
	WRITE_16 = 0x8a,
	WRITE_AND_VERIFY_16 = 0x8e,
	VERIFY_16 = 0x8f,
	SYNCHRONIZE_CACHE_16 = 0x91,
	SERVICE_ACTION_IN_16 = 0x9e,
	READ_CAPACITY_16 = 0x10, /* its service action */
	READ_12 = 0xa8,
	WRITE_12 = 0xaa,
	WRITE_AND_VERIFY_12 = 0xae,
	VERIFY_12 = 0xaf,
	CAPACITY_16_LEN = 32,

	PMI = 0x01, /* partial medium indicator: without it the address is zero */
	PROTECT = 0xe0, /* RDPROTECT, WRPROTECT, VRPROTECT: there is no protection information */
	FUA = 0x08, /* force unit access */
	BYTCHK = 0x06,
	START = 0x01, /* of START STOP UNIT */
	LOEJ = 0x02,
	POWER_CONDITION = 0xf0,
};

/* ---- Blocks ---- */

/* What a command is about, in bytes of the store. */
struct range {
	uint64_t offset;
	uint64_t len;
};

/* Address and count of blocks, by the length of the CDB (SBC-3, 5). */
static void parse_range(const uint8_t *cdb, uint64_t *address, uint64_t *count)
{
	switch (scsi_cdb_len(cdb[0])) {
	case 6:
		*address = get_be24(cdb + 1) & 0x1fffff;
		*count = cdb[4] == 0 ? 256 : cdb[4];
		break;
	case 10:
		*address = get_be32(cdb + 2);
		*count = get_be16(cdb + 7);
		break;
	case 12:
		*address = get_be32(cdb + 2);
		*count = get_be32(cdb + 6);
		break;
	default:
		*address = get_be64(cdb + 2);
		*count = get_be32(cdb + 10);
		break;
	}
}

/* The range of a command. False: the command has failed, for it leaves the disk. */
static bool get_range(struct task *task, struct range *range)
{
	uint64_t blocks = task->device->size / DISK_BLOCK, address, count;

	parse_range(task->cdb, &address, &count);
	if (address > blocks || count > blocks - address || (count == 0 && address == blocks)) {
		task_fail(task, SENSE_OUT_OF_RANGE);
		task_information(task, address);
		return false;
	}
	*range = (struct range){ address * DISK_BLOCK, count * DISK_BLOCK };
	return true;
}

/* The bytes of a command's range. NULL: the command has failed. */
static uint8_t *get_bytes(struct task *task, struct range *range)
{
	uint8_t *bytes;

	if (scsi_cdb_len(task->cdb[0]) != 6 && (task->cdb[1] & PROTECT)) {
		task_fail_field(task, 1);
		return NULL;
	}
	if (!get_range(task, range))
		return NULL;
	bytes = store_bytes(&task->device->store, task->device->size);
	if (!bytes) {
		task_fail(task, SENSE_INTERNAL);
		return NULL;
	}
	return bytes + range->offset;
}

static void flush(struct task *task, uint64_t offset, uint64_t len)
{
	if (store_flush(&task->device->store, offset, len) < 0)
		task_fail(task, SENSE_WRITE_FAILED);
}

/* ---- Reading and writing ---- */

static void read_blocks(struct task *task)
{
	struct range range;
	const uint8_t *bytes = get_bytes(task, &range);

	if (bytes)
		task_answer(task, bytes, range.len, range.len, DATA_LASTING);
}

static void take_blocks(struct task *task, uint32_t offset, const uint8_t *bytes, size_t len)
{
	memcpy(task->at + offset, bytes, len);
}

static void flush_written(struct task *task)
{
	flush(task, (uint64_t)(task->at - task->device->store.mapping.bytes), task->takes);
}

static void write_blocks(struct task *task)
{
	bool through = scsi_cdb_len(task->cdb[0]) != 6 && (task->cdb[1] & FUA);
	struct range range;

	task->at = get_bytes(task, &range);
	if (task->at)
		task_receive(task, range.len, take_blocks, through ? flush_written : NULL);
}

/* What is written to memory or to a file's pages is there: to verify it is to have it safe. */
static void write_and_verify(struct task *task)
{
	struct range range;

	if ((task->cdb[1] & BYTCHK) == BYTCHK || (task->cdb[1] & BYTCHK) == 0x04) {
		task_fail_field(task, 1);
		return;
	}
	task->at = get_bytes(task, &range);
	if (task->at)
		task_receive(task, range.len, take_blocks, flush_written);
}

static void compare(struct task *task, uint32_t offset, const uint8_t *bytes, size_t len)
{
	size_t same = 0;

	if (task->status != STATUS_GOOD || memcmp(task->at + offset, bytes, len) == 0)
		return;
	while (task->at[offset + same] == bytes[same])
		same++;
	task_fail(task, SENSE_MISCOMPARE);
	task_information(task, offset + same);
}

static void compare_one(struct task *task, uint32_t offset, const uint8_t *bytes, size_t len)
{
	memcpy(task->list + offset, bytes, len);
}

/* BYTCHK 3: one block that all of the range is to equal (SBC-3, 5.29). */
static void compare_all(struct task *task)
{
	struct range range;

	if (!get_range(task, &range))
		return;
	for (uint64_t at = 0; at < range.len && task->status == STATUS_GOOD; at += DISK_BLOCK) {
		const uint8_t *block = task->at + at;
		unsigned int same = 0;

		while (same < DISK_BLOCK && block[same] == task->list[same])
			same++;
		if (same == DISK_BLOCK)
			continue;
		task_fail(task, SENSE_MISCOMPARE);
		task_information(task, same);
	}
}

static void verify(struct task *task)
{
	unsigned int check = (task->cdb[1] & BYTCHK) >> 1;
	struct range range;

	if (check == 2) {
		task_fail_field(task, 1);
		return;
	}
	task->at = get_bytes(task, &range);
	if (!task->at || check == 0)
		return;
	if (check == 1) {
		task_receive(task, range.len, compare, NULL);
	} else if (range.len > 0) {
		task_receive_list(task, DISK_BLOCK, compare_all);
		task->take = compare_one;
	}
}

static void synchronize_cache(struct task *task)
{
	struct range range;

	if (!get_range(task, &range))
		return;
	if (range.len == 0)
		range.len = task->device->size - range.offset;
	flush(task, range.offset, range.len);
}

/* A disk that is always spinning: it starts, and what would stop or eject it changes nothing. */
static void start_stop(struct task *task)
{
	if (task->cdb[4] & LOEJ)
		task_fail_field(task, 4);
	else if (!(task->cdb[4] & (START | POWER_CONDITION)))
		flush(task, 0, task->device->size);
}

/* ---- Capacity ---- */

static uint64_t last_block(const struct task *task)
{
	return task->device->size / DISK_BLOCK - 1;
}

static void read_capacity_10(struct task *task)
{
	uint64_t last = last_block(task);

	if (!(task->cdb[8] & PMI) && get_be32(task->cdb + 2) != 0) {
		task_fail_field(task, 2);
		return;
	}
	put_be32(task->scratch, last < UINT32_MAX ? (uint32_t)last : UINT32_MAX);
	put_be32(task->scratch + 4, DISK_BLOCK);
	task_answer(task, task->scratch, 8, 8, DATA_SCRATCH);
}

static void read_capacity_16(struct task *task)
{
	if (!(task->cdb[14] & PMI) && get_be64(task->cdb + 2) != 0) {
		task_fail_field(task, 2);
		return;
	}
	memset(task->scratch, 0, CAPACITY_16_LEN);
	put_be64(task->scratch, last_block(task));
	put_be32(task->scratch + 8, DISK_BLOCK);
	task_answer(task, task->scratch, CAPACITY_16_LEN, get_be32(task->cdb + 10), DATA_SCRATCH);
}

/* clang-format off */
#define ALL4 0xff, 0xff, 0xff, 0xff
#define ALL8 ALL4, ALL4
#define CDB_6(op) { op, 0x1f, 0xff, 0xff, 0xff, 0x04 }
#define CDB_10(op, flags) { op, flags, ALL4, 0x1f, 0xff, 0xff, 0x04 }
#define CDB_12(op, flags) { op, flags, ALL4, ALL4, 0x1f, 0x04 }
#define CDB_16(op, flags) { op, flags, ALL8, ALL4, 0x1f, 0x04 }

static bool find_address(const uint8_t *cdb, uint64_t *address)
{
	void (*run)(struct task *task) = device_disk.ops[cdb[0]].run;
	uint64_t count;

	parse_range(cdb, address, &count);
	return run == read_blocks || run == write_blocks || run == verify ||
	       run == write_and_verify;
}

const struct device_type device_disk = {
	.type = 0x00,
	.versions = { 0x00a0, 0x0960, 0x0460, 0x04c0 }, /* SAM-5, iSCSI, SPC-4, SBC-3 */
	.find_address = find_address,
	.ops = {
		SCSI_COMMON_OPS,
		[SCSI_TEST_UNIT_READY] = { .name = "test-unit-ready", .run = scsi_ready,
					   .usage = { 0x00, 0, 0, 0, 0, 0x04 } },
		[SCSI_MODE_SENSE_6] = { .name = "mode-sense", .run = scsi_mode_sense,
					.usage = { 0x1a, 0x08, 0xff, 0xff, 0xff, 0x04 } },
		[SCSI_MODE_SENSE_10] = { .name = "mode-sense", .run = scsi_mode_sense,
					 .usage = { 0x5a, 0x18, 0xff, 0xff, 0, 0, 0, 0xff, 0xff, 0x04 } },
		[START_STOP_UNIT] = { .name = "start-stop", .run = start_stop,
				      .usage = { 0x1b, 0x01, 0, 0x0f, 0xf7, 0x04 } },
		[READ_CAPACITY_10] = { .name = "read-capacity", .run = read_capacity_10,
				       .usage = { 0x25, 0, ALL4, 0, 0, 0x01, 0x04 } },
		[SERVICE_ACTION_IN_16] = { .name = "read-capacity", .run = read_capacity_16,
					   .has_action = true,
					   .usage = { 0x9e, 0x10, ALL8, ALL4, 0x01, 0x04 } },
		[READ_6] = { .name = "read", .run = read_blocks, .usage = CDB_6(0x08) },
		[READ_10] = { .name = "read", .run = read_blocks, .usage = CDB_10(0x28, 0xf8) },
		[READ_12] = { .name = "read", .run = read_blocks, .usage = CDB_12(0xa8, 0xf8) },
		[READ_16] = { .name = "read", .run = read_blocks, .usage = CDB_16(0x88, 0xf8) },
		[WRITE_6] = { .name = "write", .run = write_blocks, .usage = CDB_6(0x0a) },
		[WRITE_10] = { .name = "write", .run = write_blocks, .usage = CDB_10(0x2a, 0xf8) },
		[WRITE_12] = { .name = "write", .run = write_blocks, .usage = CDB_12(0xaa, 0xf8) },
		[WRITE_16] = { .name = "write", .run = write_blocks, .usage = CDB_16(0x8a, 0xf8) },
		[WRITE_AND_VERIFY_10] = { .name = "write", .run = write_and_verify,
					  .usage = CDB_10(0x2e, 0xf6) },
		[WRITE_AND_VERIFY_12] = { .name = "write", .run = write_and_verify,
					  .usage = CDB_12(0xae, 0xf6) },
		[WRITE_AND_VERIFY_16] = { .name = "write", .run = write_and_verify,
					  .usage = CDB_16(0x8e, 0xf6) },
		[VERIFY_10] = { .name = "verify", .run = verify, .usage = CDB_10(0x2f, 0xf6) },
		[VERIFY_12] = { .name = "verify", .run = verify, .usage = CDB_12(0xaf, 0xf6) },
		[VERIFY_16] = { .name = "verify", .run = verify, .usage = CDB_16(0x8f, 0xf6) },
		[SYNCHRONIZE_CACHE_10] = { .name = "synchronize-cache", .run = synchronize_cache,
					   .usage = CDB_10(0x35, 0x06) },
		[SYNCHRONIZE_CACHE_16] = { .name = "synchronize-cache", .run = synchronize_cache,
					   .usage = CDB_16(0x91, 0x06) },
	},
};
