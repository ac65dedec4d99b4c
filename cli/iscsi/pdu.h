/* SPDX-License-Identifier: MIT */
/*
 * PDUs: where their fields lie, cutting them out of a stream, sealing them for
 * one (RFC 7143, 11).
 */
#ifndef SGW_ISCSI_PDU_H
#define SGW_ISCSI_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iscsi/digest.h"

struct buf;
struct err;

enum {
	BHS_LEN = 48,
	PDU_AHS_MAX = 255 * 4,
	PDU_HEAD_MAX = BHS_LEN + PDU_AHS_MAX + DIGEST_LEN,
	PDU_TAIL_MAX = 3 + DIGEST_LEN,
	PDU_LOGIN_DATA_MAX = 8192, /* MaxRecvDataSegmentLength until a login is through (13.12) */
};

/* Opcodes (11.2.1.2), without the I bit. */
enum pdu_opcode {
	OP_NOP_OUT = 0x00,
	OP_SCSI_COMMAND = 0x01,
	OP_TASK_REQUEST = 0x02,
	OP_LOGIN_REQUEST = 0x03,
	OP_TEXT_REQUEST = 0x04,
	OP_DATA_OUT = 0x05,
	OP_LOGOUT_REQUEST = 0x06,
	OP_SNACK_REQUEST = 0x10,
	OP_NOP_IN = 0x20,
	OP_SCSI_RESPONSE = 0x21,
	OP_TASK_RESPONSE = 0x22,
	OP_LOGIN_RESPONSE = 0x23,
	OP_TEXT_RESPONSE = 0x24,
	OP_DATA_IN = 0x25,
	OP_LOGOUT_RESPONSE = 0x26,
	OP_R2T = 0x31,
	OP_ASYNC = 0x32,
	OP_REJECT = 0x3f,
};

/* Where fields begin in the basic header segment. */
enum {
	/* every PDU (11.2.1) */
	BHS_OPCODE = 0,
	BHS_FLAGS = 1,
	BHS_AHS_LEN = 4, /* in words of four bytes */
	BHS_DATA_LEN = 5, /* 24 bits */
	BHS_LUN = 8,
	BHS_ITT = 16,
	BHS_TTT = 20, /* NOP, text, Data-Out, Data-In, R2T */
	/* initiator to target */
	BHS_CMD_SN = 24,
	BHS_EXP_STAT_SN = 28,
	/* target to initiator */
	BHS_STAT_SN = 24,
	BHS_EXP_CMD_SN = 28,
	BHS_MAX_CMD_SN = 32,
	/* SCSI Command (11.3) */
	COMMAND_EXPECTED_LENGTH = 20,
	COMMAND_CDB = 32, /* 16 bytes */
	/* SCSI Response (11.4) */
	RESPONSE_CODE = 2, /* also task, logout */
	RESPONSE_STATUS = 3,
	RESPONSE_SNACK_TAG = 20,
	RESPONSE_EXP_DATA_SN = 36,
	RESPONSE_BIDI_RESIDUAL = 40,
	RESPONSE_RESIDUAL = 44,
	/* Task Management Function Request (11.5) */
	TASK_REFERENCED_TAG = 20,
	TASK_REF_CMD_SN = 32,
	TASK_EXP_DATA_SN = 36,
	/* Data-Out, Data-In (11.7) */
	DATA_STATUS = 3, /* Data-In with S */
	DATA_SN = 36,
	DATA_OFFSET = 40,
	DATA_RESIDUAL = 44, /* Data-In with S */
	/* R2T (11.8) */
	R2T_SN = 36,
	R2T_OFFSET = 40,
	R2T_LENGTH = 44,
	/* Asynchronous Message (11.9) */
	ASYNC_EVENT = 36,
	ASYNC_VENDOR_CODE = 37,
	ASYNC_PARAMETER1 = 38,
	ASYNC_PARAMETER2 = 40,
	ASYNC_PARAMETER3 = 42,
	/* Login Request, Login Response (11.12, 11.13) */
	LOGIN_VERSION_MAX = 2,
	LOGIN_VERSION_MIN = 3, /* in a response: Version-active */
	LOGIN_ISID = 8, /* 6 bytes */
	LOGIN_TSIH = 14,
	LOGIN_CID = 20, /* request alone */
	LOGIN_STATUS = 36, /* class and detail, 16 bits */
	/* Logout Request, Logout Response (11.14, 11.15) */
	LOGOUT_CID = 20,
	LOGOUT_TIME2WAIT = 40,
	LOGOUT_TIME2RETAIN = 42,
	/* SNACK Request (11.16) */
	SNACK_BEG_RUN = 40,
	SNACK_RUN_LENGTH = 44,
	/* Reject (11.17) */
	REJECT_REASON = 2,
	REJECT_DATA_SN = 36,
};

enum { ISID_LEN = 6, CDB_LEN = 16 };

/* Bits of byte 0 and of byte 1. */
enum {
	OPCODE_MASK = 0x3f,
	OPCODE_IMMEDIATE = 0x40, /* I (11.2.1.1) */
	FLAG_FINAL = 0x80, /* F; every PDU but login, which has T here */
	FLAG_CONTINUE = 0x40, /* C; text and login (11.10.2, 11.12.2) */
	COMMAND_READ = 0x40,
	COMMAND_WRITE = 0x20,
	COMMAND_ATTRIBUTES = 0x07,
	DATA_ACK = 0x40, /* A */
	DATA_STATUS_PRESENT = 0x01, /* S */
	/* residuals: SCSI Response and Data-In with S (11.4.1, 11.7.3) */
	RESIDUAL_BIDI_OVERFLOW = 0x10,
	RESIDUAL_BIDI_UNDERFLOW = 0x08,
	RESIDUAL_OVERFLOW = 0x04,
	RESIDUAL_UNDERFLOW = 0x02,
	LOGIN_TRANSIT = 0x80, /* T */
	LOGIN_CSG = 0x0c,
	LOGIN_CSG_SHIFT = 2,
	LOGIN_NSG = 0x03,
	TASK_FUNCTION = 0x7f,
	LOGOUT_REASON = 0x7f,
};

/* Current and next stage of a login (11.12.3). */
enum login_stage {
	STAGE_SECURITY = 0,
	STAGE_OPERATIONAL = 1,
	STAGE_RESERVED = 2,
	STAGE_FULL_FEATURE = 3,
};

/* Task management functions (11.5.1). */
enum {
	TASK_ABORT_TASK = 1,
	TASK_ABORT_TASK_SET = 2,
	TASK_CLEAR_ACA = 3,
	TASK_CLEAR_TASK_SET = 4,
	TASK_LUN_RESET = 5,
	TASK_WARM_RESET = 6,
	TASK_COLD_RESET = 7,
	TASK_REASSIGN = 8,
};

/* A tag that names nothing. */
#define TAG_NONE UINT32_C(0xffffffff)

/* "NOP-In", "Login Response" …, or "opcode 0x2a". The text is constant or within out. */
const char *pdu_opcode_name(uint8_t opcode, char out[16]) __attribute__((nonnull));

static inline uint8_t pdu_opcode(const uint8_t *bhs)
{
	return bhs[BHS_OPCODE] & OPCODE_MASK;
}

/* A received PDU: views into the reader's buffer, good until pdu_reader_space is called. */
struct pdu {
	const uint8_t *bhs; /* BHS_LEN bytes */
	const uint8_t *ahs;
	size_t ahs_len; /* a multiple of 4 */
	const uint8_t *data; /* without padding */
	size_t data_len;
	bool data_digest_bad; /* the data must not be used (7.8) */
};

/*
 * An incremental framer over one receive buffer. Ask for space, receive into
 * it, say how much came, pull PDUs until there is none; no PDU is copied and
 * nothing is allocated for one. All PDUs of one receive stay valid together
 * until the next call of pdu_reader_space.
 *
 * The three switches may be set between any two PDUs: what a call of
 * pdu_reader_next has not yet returned is read by the new rules (digests come
 * into force after the login's last response; 13.1).
 */
struct pdu_reader {
	bool header_digest;
	bool data_digest;
	uint32_t max_data; /* largest data segment accepted, in bytes */

	/* Private. */
	uint8_t *buf;
	size_t size; /* of buf */
	size_t start; /* what was not pulled yet: start … end */
	size_t end;
	size_t need; /* bytes from start that the next PDU is known to take */
	bool filled; /* the last receive took all the space there was */
};

/* max_data as above; nothing is allocated before the first space is asked for. */
void pdu_reader_init(struct pdu_reader *reader, uint32_t max_data) __attribute__((nonnull));
void pdu_reader_done(struct pdu_reader *reader) __attribute__((nonnull));

/*
 * Where to receive: *len bytes (at least 1) at *space. The buffer grows as PDUs need it, never
 * beyond max_data plus headers and a receive's worth. Ends the life of all
 * struct pdu pulled so far. 0, or -ENOMEM.
 */
int pdu_reader_space(struct pdu_reader *reader, uint8_t **space, size_t *len, struct err *err)
	__attribute__((nonnull));
/* len bytes were received into the space; len no more than was offered. */
void pdu_reader_received(struct pdu_reader *reader, size_t len) __attribute__((nonnull));

/*
 * Pull the next complete PDU. Returns 1 and fills *pdu; 0 where more must be
 * received first; or the stream is lost and the connection must be closed:
 *   -EMSGSIZE  the header announces more data than max_data (both are in
 *              *err; pdu->bhs is filled, the rest is not); seen before a byte
 *              of data is awaited;
 *   -EBADMSG   the header digest is wrong (7.8).
 * After an error each further call fails likewise. A wrong data digest is no
 * error here: the PDU comes with data_digest_bad.
 */
int pdu_reader_next(struct pdu_reader *reader, struct pdu *pdu, struct err *err)
	__attribute__((nonnull));

/* What is half received: "header", "data segment", or NULL between two PDUs. */
const char *pdu_reader_stage(const struct pdu_reader *reader) __attribute__((nonnull));
/* Give the buffer back while nothing is half received; the next space allocates it anew. */
void pdu_reader_rest(struct pdu_reader *reader) __attribute__((nonnull));

/*
 * Sealing. A PDU goes out as head, data, tail: the head is the BHS and the AHS
 * in one array with DIGEST_LEN bytes of room behind; the data stays where it
 * is; the tail is padding and data digest.
 */

/*
 * Fill in TotalAHSLength and DataSegmentLength and put the header digest
 * behind, if there is one. ahs_len is a multiple of 4 up to PDU_AHS_MAX,
 * data_len below 2^24. Returns the length of the head.
 */
size_t pdu_seal_head(uint8_t *head, size_t ahs_len, uint32_t data_len, bool header_digest)
	__attribute__((nonnull));
/*
 * Padding and, if asked for and data_len is not 0, the digest. Returns the
 * tail's length, 0 to 7.
 */
size_t pdu_seal_tail(uint8_t tail[PDU_TAIL_MAX], const void *data, size_t data_len,
		     bool data_digest) __attribute__((nonnull(1)));
/* The same for data in pieces: state is digest_update over all of them from DIGEST_START. */
size_t pdu_seal_tail_pieces(uint8_t tail[PDU_TAIL_MAX], size_t data_len, bool data_digest,
			    uint32_t state) __attribute__((nonnull));

/* Append a whole sealed PDU without AHS to out. bhs is the caller's, its lengths are filled in. */
void pdu_append(struct buf *out, uint8_t bhs[BHS_LEN], const void *data, size_t data_len,
		bool header_digest, bool data_digest) __attribute__((nonnull(1, 2)));

#endif
