/* SPDX-License-Identifier: MIT */
/* A SCSI command from its PDU to its answer, and the commands that all types share (SPC-4). */
#ifndef SGW_TARGET_SCSI_H
#define SGW_TARGET_SCSI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device.h"
#include "iscsi/pdu.h"

struct connection;
struct device;

enum {
	SENSE_LEN = 18, /* fixed format */
	TASK_SCRATCH = 2048,
};

/* Operation codes. */
enum {
	SCSI_TEST_UNIT_READY = 0x00,
	SCSI_REQUEST_SENSE = 0x03,
	SCSI_INQUIRY = 0x12,
	SCSI_REPORT_LUNS = 0xa0,
};

/* Status (SAM-5, 5.3.1). */
enum {
	STATUS_GOOD = 0x00,
	STATUS_CHECK_CONDITION = 0x02,
};

/* Sense key, additional sense code and qualifier as one number: 5/20/00 is 0x52000. */
enum sense {
	SENSE_NONE = 0x00000,
	SENSE_NO_MEDIUM = 0x23a00, /* not ready, medium not present */
	SENSE_INVALID_OPCODE = 0x52000,
	SENSE_INVALID_FIELD = 0x52400, /* in the CDB */
	SENSE_NO_UNIT = 0x52500, /* logical unit not supported */
	SENSE_RESET = 0x62903, /* unit attention: device reset function occurred */
};

/* Where the data of an answer lies until it is sent. */
enum data_place {
	DATA_SCRATCH, /* goes away with its function: copied behind the header */
	DATA_LASTING, /* a store's: sent from where it lies */
};

/*
 * A command that runs. What the initiator sends is checked before a handler
 * sees it; a handler fills in the second half. It lives on the stack: no
 * handler keeps it.
 */
struct task {
	struct connection *connection;
	const struct device *device; /* NULL: nothing at this LUN */
	const uint8_t *cdb; /* CDB_LEN bytes */
	uint32_t tag;
	uint32_t expected; /* bytes the initiator expects to move */
	bool read; /* it expects to receive them */

	uint8_t status;
	uint8_t sense[SENSE_LEN]; /* filled by task_fail */
	const uint8_t *data;
	uint32_t data_len; /* after allocation length */
	enum data_place place;
	uint8_t scratch[TASK_SCRATCH]; /* for answers that are made up */
};

/* What is wrong with the form of a SCSI Command PDU (11.3, 11.2.2): a reason to reject it, or 0. */
uint8_t scsi_check(const struct connection *connection, const struct pdu *pdu)
	__attribute__((nonnull));
/* Run the command of a PDU whose turn it is, and answer it. */
void scsi_run(struct connection *connection, const struct pdu *pdu) __attribute__((nonnull));

/* End with CHECK CONDITION. */
void task_fail(struct task *task, enum sense sense) __attribute__((nonnull));
/* End with 5/24/00 and a pointer to the byte of the CDB that is wrong. */
void task_fail_field(struct task *task, unsigned int byte) __attribute__((nonnull));
/* Answer with len bytes, of which the initiator allows for `allocated`. */
void task_answer(struct task *task, const void *data, size_t len, size_t allocated,
		 enum data_place place) __attribute__((nonnull));

/* Send what a task was answered with: Data-In, with the status or before a Response. */
void task_send(struct task *task) __attribute__((nonnull));
/* Whether an eight-byte LUN field names LUN 0, in the peripheral or the flat form (SAM-5, 4.7). */
bool lun_is_zero(const uint8_t *lun) __attribute__((nonnull));

/* Fill SENSE_LEN bytes in fixed format (SPC-4, 4.5.3). */
void sense_fill(uint8_t out[SENSE_LEN], enum sense sense) __attribute__((nonnull));

/* INQUIRY, its pages too: inquiry.c. */
void scsi_inquiry(struct task *task) __attribute__((nonnull));
void scsi_request_sense(struct task *task) __attribute__((nonnull));
void scsi_report_luns(struct task *task) __attribute__((nonnull));
/* TEST UNIT READY of what is always ready. */
void scsi_ready(struct task *task) __attribute__((nonnull));

/* Rows of the commands that every type has, but for TEST UNIT READY. */
#define SCSI_COMMON_OPS                                     \
	[SCSI_REQUEST_SENSE] = { .name = "request-sense",   \
				 .run = scsi_request_sense, \
				 .passes_attention = true,  \
				 .needs_no_unit = true },   \
	[SCSI_INQUIRY] = { .name = "inquiry",               \
			   .run = scsi_inquiry,             \
			   .passes_attention = true,        \
			   .needs_no_unit = true },         \
	[SCSI_REPORT_LUNS] = { .name = "report-luns",       \
			       .run = scsi_report_luns,     \
			       .passes_attention = true,    \
			       .needs_no_unit = true }

#endif
