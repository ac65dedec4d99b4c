/* SPDX-License-Identifier: MIT */
/* A SCSI command from its PDU to its answer, and the commands that all types share (SPC-4). */
#ifndef SGW_TARGET_SCSI_H
#define SGW_TARGET_SCSI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deadline.h"
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
	SCSI_MODE_SENSE_6 = 0x1a,
	SCSI_MODE_SENSE_10 = 0x5a,
	SCSI_REPORT_LUNS = 0xa0,
	SCSI_MAINTENANCE_IN = 0xa3,
	REPORT_SUPPORTED_OPCODES = 0x0c, /* its service action */
};

/* Status (SAM-5, 5.3.1). */
enum {
	STATUS_GOOD = 0x00,
	STATUS_CHECK_CONDITION = 0x02,
	STATUS_BUSY = 0x08,
	STATUS_RESERVATION_CONFLICT = 0x18,
	STATUS_TASK_SET_FULL = 0x28,
};

/* Sense key, additional sense code and qualifier as one number: 5/20/00 is 0x52000. */
enum sense {
	SENSE_NONE = 0x00000,
	SENSE_NO_MEDIUM = 0x23a00, /* not ready, medium not present */
	SENSE_WRITE_FAILED = 0x30c00, /* medium error: write error */
	SENSE_INTERNAL = 0x44400, /* hardware error: internal target failure */
	SENSE_INVALID_OPCODE = 0x52000,
	SENSE_OUT_OF_RANGE = 0x52100, /* logical block address out of range */
	SENSE_INVALID_FIELD = 0x52400, /* in the CDB */
	SENSE_NO_UNIT = 0x52500, /* logical unit not supported */
	SENSE_INVALID_PARAMETER = 0x52600, /* invalid field in parameter list */
	SENSE_NOT_SAVED = 0x53900, /* saving parameters not supported */
	SENSE_POWER_ON = 0x62900, /* unit attention: power on, or some reset, occurred */
	SENSE_RESET = 0x62903, /* unit attention: device reset function occurred */
	SENSE_NEXUS_LOSS = 0x62907, /* unit attention: I_T nexus loss occurred */
	SENSE_CLEARED = 0x62f00, /* unit attention: commands cleared by another initiator */
	/* What went wrong on the way, as RFC 7143, 11.4.7.2 has it. */
	SENSE_UNEXPECTED_DATA = 0xb0c0c, /* unexpected unsolicited data */
	SENSE_INCORRECT_DATA = 0xb0c0d, /* incorrect amount of data */
	SENSE_PROTOCOL_CRC = 0xb4705, /* protocol service CRC error */
	SENSE_MISCOMPARE = 0xe1d00, /* during verify operation */
};

/* Where the data of an answer lies until it is sent. */
enum data_place {
	DATA_SCRATCH, /* goes away with its function: copied behind the header */
	DATA_LASTING, /* a store's: sent from where it lies */
};

/* Data-In of a task, on its way (11.7). */
struct data_in {
	uint32_t total;
	uint32_t offset; /* what was sent */
	uint32_t burst; /* what the sequence may still take */
	uint32_t data_sn;
};

/*
 * Data-Out of a task: unsolicited first, then what R2Ts ask for, all of it in
 * order (11.7, 11.8).
 */
struct data_out {
	uint32_t wanted; /* bytes the device gets: no more than expected, nor than the CDB tells */
	uint32_t received; /* all that came in good order */
	bool unasked; /* the unsolicited sequence is open */
	uint32_t unasked_end; /* where it ends */
	uint32_t base; /* where the first R2T begins */
	uint32_t asked; /* where the last one ends */
	uint32_t r2t_sn; /* R2Ts sent */
	uint32_t ended; /* of them: their data came, as far as F */
	uint32_t data_sn; /* of the next PDU of the sequence */
	enum sense fault; /* to be told when no sequence is open any more; SENSE_NONE: none */
};

enum task_state {
	TASK_FREE,
	TASK_WAITS, /* for Data-Out */
	TASK_SENDS, /* more Data-In than was room for */
	TASK_ABORTED, /* its Data-Out may still come and is dropped */
};

/*
 * A command that runs. What the initiator sends is checked before a handler
 * sees it; a handler fills in what is below `status`. A task lives on the stack
 * until it has to wait.
 */
struct task {
	struct connection *connection;
	struct device *device; /* NULL: nothing at this LUN */
	uint8_t cdb[CDB_LEN];
	uint8_t lun[8];
	uint32_t tag;
	uint32_t expected; /* bytes the initiator expects to move */
	bool read; /* it expects to receive them */
	bool write; /* it expects to send them */
	bool numbered; /* its CmdSN was counted: it takes a place of the window */
	uint8_t *
		scratch; /* TASK_SCRATCH bytes for answers that are made up; lost after the handler */

	uint8_t status;
	uint8_t sense[SENSE_LEN]; /* filled by task_fail */
	const uint8_t *data;
	uint64_t data_len; /* after allocation length */
	enum data_place place;
	uint64_t takes; /* bytes that the initiator is to send, by the CDB */
	/* Takes some of them, in order; offset + len is never beyond `takes`. */
	void (*take)(struct task *task, uint32_t offset, const uint8_t *bytes, size_t len);
	void (*done)(struct task *task); /* all is here, or all that was expected; may be NULL */
	uint8_t *at; /* for take: what the data is for, in a store */
	uint8_t *list; /* for take: a parameter list of up to `takes` bytes; freed with the task */

	/* transfer.c, task_pool.c */
	uint64_t stall_ms; /* before it is done and answered; 0 once that is over */
	struct deadline stall;
	bool due; /* it is over, and the task waits for its turn */
	enum task_state state;
	bool awaited; /* aborted, and a task management function waits for its data */
	uint16_t generation; /* of its slot: part of the Target Transfer Tag */
	struct data_in in;
	struct data_out out;
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

/* Have the initiator send len bytes, for take and then done; see struct task. */
void task_receive(struct task *task, uint64_t len,
		  void (*take)(struct task *task, uint32_t offset, const uint8_t *bytes,
			       size_t len),
		  void (*done)(struct task *task)) __attribute__((nonnull(1, 3)));
/* The same for a short parameter list, gathered in task->list. */
void task_receive_list(struct task *task, uint16_t len, void (*done)(struct task *task))
	__attribute__((nonnull));
/* VALID and INFORMATION of the sense data (SPC-4, 4.5.3). */
void task_information(struct task *task, uint64_t information) __attribute__((nonnull));
/* Whether an eight-byte LUN field names LUN 0, in the peripheral or the flat form (SAM-5, 4.7). */
bool lun_is_zero(const uint8_t *lun) __attribute__((nonnull));

/* Fill SENSE_LEN bytes in fixed format (SPC-4, 4.5.3). */
void sense_fill(uint8_t out[SENSE_LEN], enum sense sense) __attribute__((nonnull));

/* MODE SENSE and MODE SELECT: mode.c. */
void scsi_mode_sense(struct task *task) __attribute__((nonnull));
/* REPORT SUPPORTED OPERATION CODES: opcodes.c. */
void scsi_report_opcodes(struct task *task) __attribute__((nonnull));
/* INQUIRY, its pages too: inquiry.c. */
void scsi_inquiry(struct task *task) __attribute__((nonnull));
void scsi_request_sense(struct task *task) __attribute__((nonnull));
void scsi_report_luns(struct task *task) __attribute__((nonnull));
/* TEST UNIT READY of what is always ready. */
void scsi_ready(struct task *task) __attribute__((nonnull));

/* Rows of the commands that every type has, but for TEST UNIT READY. */
#define SCSI_COMMON_OPS                                                                            \
	[SCSI_REQUEST_SENSE] = { .name = "request-sense",                                          \
				 .run = scsi_request_sense,                                        \
				 .usage = { 0x03, 0x01, 0, 0, 0xff, 0x04 },                        \
				 .passes_attention = true,                                         \
				 .needs_no_unit = true },                                          \
	[SCSI_INQUIRY] = { .name = "inquiry",                                                      \
			   .run = scsi_inquiry,                                                    \
			   .usage = { 0x12, 0x01, 0xff, 0xff, 0xff, 0x04 },                        \
			   .passes_attention = true,                                               \
			   .needs_no_unit = true },                                                \
	[SCSI_REPORT_LUNS] = { .name = "report-luns",                                              \
			       .run = scsi_report_luns,                                            \
			       .usage = { 0xa0, 0, 0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0,       \
					  0x04 },                                                  \
			       .passes_attention = true,                                           \
			       .needs_no_unit = true },                                            \
	[SCSI_MAINTENANCE_IN] = { .name = "report-opcodes",                                        \
				  .run = scsi_report_opcodes,                                      \
				  .has_action = true,                                              \
				  .usage = { 0xa3, 0x0c, 0x87, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, \
					     0xff, 0, 0x04 } }

#endif
