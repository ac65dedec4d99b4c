/* SPDX-License-Identifier: MIT */
/* MODE SENSE of disks: caching, error recovery, control (SPC-4, 6.11 and 7.5; SBC-3, 6.5). */
#include "scsi.h"

#include <string.h>

#include "iscsi/bytes.h"
#include "persona.h"

enum {
	HEADER_6 = 4,
	HEADER_10 = 8,
	BLOCK_DESCRIPTOR = 8,
	LONG_BLOCK_DESCRIPTOR = 16,
	DPOFUA = 0x10,
	LONGLBA = 0x01,

	DISABLE_DESCRIPTORS = 0x08, /* DBD of the CDB */
	LONG_ACCEPTED = 0x10, /* LLBAA, of the longer CDB */
	ALL_PAGES = 0x3f,
	ALL_SUBPAGES = 0xff,

	CURRENT = 0, /* page control */
	CHANGEABLE = 1,
	SAVED = 3,

	WRITE_CACHE = 0x04, /* WCE of page 08 */
};

struct page {
	uint8_t number;
	uint8_t len; /* behind the first two bytes */
	void (*fill)(const struct device *device, uint8_t *out);
};

static void nothing(const struct device *device, uint8_t *out)
{
	(void)device;
	(void)out;
}

/* What is in a file can be lost until it is flushed; what is in memory is all there is. */
static void caching(const struct device *device, uint8_t *out)
{
	if (device->store.kept)
		out[2] |= WRITE_CACHE;
}

static void control(const struct device *device, uint8_t *out)
{
	(void)device;
	out[3] = 0x10; /* commands may be reordered (QUEUE ALGORITHM MODIFIER 1) */
	put_be16(out + 8, 0xffff); /* busy timeout: no limit */
}

static const struct page pages[] = {
	{ 0x01, 0x0a, nothing }, /* read-write error recovery */
	{ 0x08, 0x12, caching },
	{ 0x0a, 0x0a, control },
	{ 0x1c, 0x0a, nothing }, /* informational exceptions control */
};

enum { PAGES = sizeof(pages) / sizeof(pages[0]) };

/* The pages asked for, in ascending order; nothing can be changed, so that defaults are current. */
static size_t put_pages(const struct task *task, uint8_t *out)
{
	uint8_t wanted = task->cdb[2] & ALL_PAGES;
	size_t len = 0;

	for (int i = 0; i < PAGES; i++) {
		const struct page *page = &pages[i];

		if (wanted != ALL_PAGES && wanted != page->number)
			continue;
		memset(out + len, 0, 2u + page->len);
		out[len] = page->number;
		out[len + 1] = page->len;
		if (task->cdb[2] >> 6 != CHANGEABLE)
			page->fill(task->device, out + len);
		len += 2u + page->len;
	}
	return len;
}

static size_t put_descriptor(const struct task *task, bool is_long, uint8_t *out)
{
	uint64_t blocks = task->device->size / DISK_BLOCK;

	if (is_long) {
		memset(out, 0, LONG_BLOCK_DESCRIPTOR);
		put_be64(out, blocks);
		put_be32(out + 12, DISK_BLOCK);
		return LONG_BLOCK_DESCRIPTOR;
	}
	put_be32(out, blocks < UINT32_MAX ? (uint32_t)blocks : UINT32_MAX);
	put_be32(out + 4, DISK_BLOCK);
	return BLOCK_DESCRIPTOR;
}

void scsi_mode_sense(struct task *task)
{
	bool is_long = task->cdb[0] == SCSI_MODE_SENSE_10;
	bool long_lba = is_long && (task->cdb[1] & LONG_ACCEPTED);
	size_t header = is_long ? HEADER_10 : HEADER_6, descriptor = 0, len;
	uint8_t *out = task->scratch;

	if (task->cdb[2] >> 6 == SAVED) {
		task_fail(task, SENSE_NOT_SAVED);
		return;
	}
	if (task->cdb[3] != 0 &&
	    !(task->cdb[3] == ALL_SUBPAGES && (task->cdb[2] & ALL_PAGES) == ALL_PAGES)) {
		task_fail_field(task, 3);
		return;
	}
	memset(out, 0, header);
	if (!(task->cdb[1] & DISABLE_DESCRIPTORS))
		descriptor = put_descriptor(task, long_lba, out + header);
	len = put_pages(task, out + header + descriptor);
	if (len == 0) {
		task_fail_field(task, 2);
		return;
	}
	len += header + descriptor;
	if (is_long) {
		put_be16(out, (uint16_t)(len - 2));
		out[3] = DPOFUA;
		out[4] = long_lba && descriptor > 0 ? LONGLBA : 0;
		put_be16(out + 6, (uint16_t)descriptor);
	} else {
		out[0] = (uint8_t)(len - 1);
		out[2] = DPOFUA;
		out[3] = (uint8_t)descriptor;
	}
	task_answer(task, out, len, is_long ? get_be16(task->cdb + 7) : task->cdb[4], DATA_SCRATCH);
}
