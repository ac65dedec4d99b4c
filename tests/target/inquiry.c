/* SPDX-License-Identifier: MIT */
/* INQUIRY: who a device is (SPC-4, 6.6 and 7.8). */
#include "scsi.h"

#include <stdio.h>
#include <string.h>

#include "connection.h"
#include "gateway.h"
#include "iscsi/bytes.h"

enum {
	INQUIRY_STANDARD_LEN = 96,
	NO_UNIT = 0x7f, /* peripheral qualifier 3, type 1f: not here */
	VPD_HEADER = 4,

	/* Designation descriptors. */
	DESIGNATOR_HEADER = 4,
	PROTOCOL_ISCSI = 0x5 << 4,
	CODE_BINARY = 1,
	CODE_ASCII = 2,
	CODE_UTF8 = 3,
	PROTOCOL_VALID = 0x80,
	OF_UNIT = 0 << 4,
	OF_PORT = 1 << 4,
	OF_TARGET = 2 << 4,
	TYPE_T10 = 1,
	TYPE_NAA = 3,
	TYPE_RELATIVE_PORT = 4,
	TYPE_PORTAL_GROUP = 5,
	TYPE_NAME = 8,
	NAA_LOCAL = 3,

	LIMITS_LEN = 0x3c, /* pages b0 and b1 */
	OPTIMAL_GRANULARITY = 8, /* blocks: a page of memory */
	OPTIMAL_LENGTH = 512, /* blocks: MaxRecvDataSegmentLength */
	NO_ROTATION = 1, /* medium rotation rate: it does not rotate */
};

static void put_padded(uint8_t *out, size_t len, const char *text)
{
	size_t used = strlen(text);

	memset(out, ' ', len);
	memcpy(out, text, used < len ? used : len);
}

static size_t standard(const struct task *task, uint8_t *out)
{
	const struct device_type *type = task->connection->session->target->device.type;
	const struct identity *identity = task->connection->session->target->device.identity;

	memset(out, 0, INQUIRY_STANDARD_LEN);
	out[0] = task->device ? type->type : NO_UNIT;
	out[1] = type->removable ? 0x80 : 0;
	out[2] = 6; /* SPC-4 */
	out[3] = 0x12; /* HiSup, response data format 2 */
	out[4] = INQUIRY_STANDARD_LEN - 5;
	out[7] = 0x02; /* CmdQue */
	put_padded(out + 8, 8, identity->vendor);
	put_padded(out + 16, 16, identity->product);
	put_padded(out + 32, 4, identity->revision);
	for (int i = 0; i < DEVICE_VERSIONS_MAX && type->versions[i] != 0; i++)
		put_be16(out + 58 + 2 * i, type->versions[i]);
	return INQUIRY_STANDARD_LEN;
}

static size_t page_serial(const struct device *device, uint8_t *out)
{
	size_t len = strlen(device->serial);

	memcpy(out, device->serial, len);
	return len;
}

/* Begin a designator; its bytes follow, their count goes to out[3]. */
static uint8_t *designator(uint8_t *out, unsigned int code, unsigned int kind, size_t len)
{
	out[0] = (uint8_t)code;
	out[1] = (uint8_t)kind;
	out[2] = 0;
	out[3] = (uint8_t)len;
	return out + DESIGNATOR_HEADER;
}

/* "NAME,t,0x0001" or "NAME", in UTF-8, ended by NUL and padded to four bytes (SPC-4, 7.8.5.12). */
static uint8_t *add_name(uint8_t *out, unsigned int association, const struct target *target,
			 const char *suffix)
{
	size_t len = target->name_len + strlen(suffix), padded = (len + 4) & ~(size_t)3;
	uint8_t *name;

	/* A name that does not fit its length field (a hostile one) has no designator. */
	if (padded > 255)
		return out;
	name = designator(out, PROTOCOL_ISCSI | CODE_UTF8, PROTOCOL_VALID | association | TYPE_NAME,
			  padded);
	memset(name, 0, padded);
	memcpy(name, target->name, target->name_len);
	memcpy(name + target->name_len, suffix, strlen(suffix));
	return name + padded;
}

static size_t page_identification(const struct device *device, uint8_t *out)
{
	uint8_t *at = out, *bytes;
	size_t serial = strlen(device->serial);

	bytes = designator(at, CODE_BINARY, OF_UNIT | TYPE_NAA, 8);
	put_be64(bytes, (uint64_t)NAA_LOCAL << 60 | (device->id & (UINT64_MAX >> 4)));
	at = bytes + 8;

	bytes = designator(at, CODE_ASCII, OF_UNIT | TYPE_T10, 8 + 16 + serial);
	put_padded(bytes, 8, device->identity->vendor);
	put_padded(bytes + 8, 16, device->identity->product);
	memcpy(bytes + 24, device->serial, serial);
	at = bytes + 24 + serial;

	bytes = designator(at, PROTOCOL_ISCSI | CODE_BINARY,
			   PROTOCOL_VALID | OF_PORT | TYPE_RELATIVE_PORT, 4);
	put_be32(bytes, 1);
	bytes = designator(bytes + 4, PROTOCOL_ISCSI | CODE_BINARY,
			   PROTOCOL_VALID | OF_PORT | TYPE_PORTAL_GROUP, 4);
	put_be32(bytes, 1);
	at = add_name(bytes + 4, OF_PORT, device->target, ",t,0x0001");
	at = add_name(at, OF_TARGET, device->target, "");
	return (size_t)(at - out);
}

/* Block limits (SBC-3, 6.6.4): of transfers there are none, of unmapping what is said. */
static size_t page_limits(const struct device *device, uint8_t *out)
{
	(void)device;
	memset(out, 0, LIMITS_LEN);
	put_be16(out + 2, OPTIMAL_GRANULARITY);
	put_be32(out + 8, OPTIMAL_LENGTH);
	return LIMITS_LEN;
}

static size_t page_characteristics(const struct device *device, uint8_t *out)
{
	(void)device;
	memset(out, 0, LIMITS_LEN);
	put_be16(out, NO_ROTATION);
	return LIMITS_LEN;
}

/* Logical block provisioning: none. */
static size_t page_provisioning(const struct device *device, uint8_t *out)
{
	(void)device;
	memset(out, 0, 4);
	return 4;
}

static size_t page_list(const struct device *device, uint8_t *out);

/* In ascending order: page 00 lists them. */
static const struct vpd {
	uint8_t page;
	size_t (*fill)(const struct device *device, uint8_t *out);
	bool of_disk; /* means something else, or nothing, to other types */
} pages[] = {
	{ 0x00, page_list, false },	      { 0x80, page_serial, false },
	{ 0x83, page_identification, false }, { 0xb0, page_limits, true },
	{ 0xb1, page_characteristics, true }, { 0xb2, page_provisioning, true },
};

enum { PAGES = sizeof(pages) / sizeof(pages[0]) };

static bool has_page(const struct device *device, const struct vpd *page)
{
	return !page->of_disk || device->size > 0;
}

static size_t page_list(const struct device *device, uint8_t *out)
{
	size_t count = 0;

	for (int i = 0; i < PAGES; i++)
		if (has_page(device, &pages[i]))
			out[count++] = pages[i].page;
	return count;
}

/* Returns the length of a page with its header, 0 where there is none by that number. */
static size_t vpd(const struct task *task, uint8_t *out)
{
	for (int i = 0; i < PAGES; i++) {
		size_t len;

		if (pages[i].page != task->cdb[2] || !has_page(task->device, &pages[i]))
			continue;
		len = pages[i].fill(task->device, out + VPD_HEADER);
		out[0] = task->device->type->type;
		out[1] = task->cdb[2];
		put_be16(out + 2, (uint16_t)len);
		return VPD_HEADER + len;
	}
	return 0;
}

void scsi_inquiry(struct task *task)
{
	bool wants_page = task->cdb[1] & 1;
	size_t len;

	if (task->cdb[1] & 0xfe) {
		task_fail_field(task, 1);
		return;
	}
	if (!wants_page)
		len = task->cdb[2] == 0 ? standard(task, task->scratch) : 0;
	else
		len = task->device ? vpd(task, task->scratch) : 0;
	if (len == 0)
		task_fail_field(task, 2);
	else
		task_answer(task, task->scratch, len, get_be16(task->cdb + 3), DATA_SCRATCH);
}
