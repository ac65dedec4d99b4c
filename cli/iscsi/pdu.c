/* SPDX-License-Identifier: MIT */
#include "iscsi/pdu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "iscsi/bytes.h"

enum {
	READER_FIRST = 4096, /* what an idle connection costs */
	READER_BATCH = 262144, /* what a busy one may receive at a time: 63 writes of 4 KiB */
};

const char *pdu_opcode_name(uint8_t opcode, char out[16])
{
	static const char *const names[OPCODE_MASK + 1] = {
		[OP_NOP_OUT] = "NOP-Out",
		[OP_SCSI_COMMAND] = "SCSI Command",
		[OP_TASK_REQUEST] = "Task Management Request",
		[OP_LOGIN_REQUEST] = "Login Request",
		[OP_TEXT_REQUEST] = "Text Request",
		[OP_DATA_OUT] = "SCSI Data-Out",
		[OP_LOGOUT_REQUEST] = "Logout Request",
		[OP_SNACK_REQUEST] = "SNACK Request",
		[OP_NOP_IN] = "NOP-In",
		[OP_SCSI_RESPONSE] = "SCSI Response",
		[OP_TASK_RESPONSE] = "Task Management Response",
		[OP_LOGIN_RESPONSE] = "Login Response",
		[OP_TEXT_RESPONSE] = "Text Response",
		[OP_DATA_IN] = "SCSI Data-In",
		[OP_LOGOUT_RESPONSE] = "Logout Response",
		[OP_R2T] = "R2T",
		[OP_ASYNC] = "Asynchronous Message",
		[OP_REJECT] = "Reject",
	};

	if (names[opcode & OPCODE_MASK])
		return names[opcode & OPCODE_MASK];
	snprintf(out, 16, "opcode 0x%02x", opcode & OPCODE_MASK);
	return out;
}

void pdu_reader_init(struct pdu_reader *reader, uint32_t max_data)
{
	*reader = (struct pdu_reader){ .max_data = max_data, .need = BHS_LEN };
}

void pdu_reader_done(struct pdu_reader *reader)
{
	free(reader->buf);
	reader->buf = NULL;
	reader->size = reader->start = reader->end = 0;
}

/* The buffer's next size: enough for the PDU that is half here, and more where receives fill it. */
static size_t wanted_size(const struct pdu_reader *reader)
{
	size_t size = reader->size ? reader->size : READER_FIRST;

	if (reader->filled && size < READER_BATCH)
		size *= 2;
	return size < reader->need ? reader->need : size;
}

int pdu_reader_space(struct pdu_reader *reader, uint8_t **space, size_t *len, struct err *err)
{
	size_t held = reader->end - reader->start, size = wanted_size(reader);

	if (size > reader->size) {
		uint8_t *buf = malloc(size);

		if (!buf)
			return err_oom(err);
		if (held > 0)
			memcpy(buf, reader->buf + reader->start, held);
		free(reader->buf);
		reader->buf = buf;
		reader->size = size;
		reader->start = 0;
		reader->end = held;
	} else if (held == 0 || reader->size - reader->start < reader->need ||
		   reader->end == reader->size) {
		memmove(reader->buf, reader->buf + reader->start, held);
		reader->start = 0;
		reader->end = held;
	}
	reader->filled = false;
	*space = reader->buf + reader->end;
	*len = reader->size - reader->end;
	return 0;
}

void pdu_reader_received(struct pdu_reader *reader, size_t len)
{
	reader->end += len;
	reader->filled = reader->end == reader->size;
}

static bool digest_matches(const uint8_t *bytes, size_t len)
{
	uint8_t want[DIGEST_LEN];

	digest_finish(digest_update(DIGEST_START, bytes, len), want);
	return memcmp(want, bytes + len, DIGEST_LEN) == 0;
}

static int too_long(const uint8_t *bhs, uint32_t announced, uint32_t allowed, struct err *err)
{
	char name[16];

	return err_set(err, EMSGSIZE, "%s announces %u bytes of data (%u allowed)",
		       pdu_opcode_name(bhs[BHS_OPCODE], name), announced, allowed);
}

int pdu_reader_next(struct pdu_reader *reader, struct pdu *pdu, struct err *err)
{
	size_t held = reader->end - reader->start;
	size_t head, ahs_len, padded;
	const uint8_t *bhs;
	uint32_t data_len;

	reader->need = BHS_LEN;
	if (held < BHS_LEN)
		return 0;
	bhs = reader->buf + reader->start;
	*pdu = (struct pdu){ .bhs = bhs };
	ahs_len = (size_t)bhs[BHS_AHS_LEN] * 4;
	data_len = get_be24(bhs + BHS_DATA_LEN);
	head = BHS_LEN + ahs_len + (reader->header_digest ? DIGEST_LEN : 0);

	/* With a digest the length is only believed once the digest was seen to be right. */
	if (reader->header_digest) {
		reader->need = head;
		if (held < head)
			return 0;
		if (!digest_matches(bhs, BHS_LEN + ahs_len))
			return err_set(err, EBADMSG, "the header digest is wrong");
	}
	if (data_len > reader->max_data)
		return too_long(bhs, data_len, reader->max_data, err);

	padded = ((size_t)data_len + 3) & ~(size_t)3;
	reader->need = head + padded + (reader->data_digest && data_len > 0 ? DIGEST_LEN : 0);
	if (held < reader->need)
		return 0;

	pdu->ahs = bhs + BHS_LEN;
	pdu->ahs_len = ahs_len;
	pdu->data = bhs + head;
	pdu->data_len = data_len;
	pdu->data_digest_bad =
		reader->data_digest && data_len > 0 && !digest_matches(pdu->data, padded);
	reader->start += reader->need;
	reader->need = BHS_LEN;
	return 1;
}

const char *pdu_reader_stage(const struct pdu_reader *reader)
{
	size_t held = reader->end - reader->start, head = BHS_LEN;

	if (held == 0)
		return NULL;
	if (held >= BHS_LEN)
		head += (size_t)reader->buf[reader->start + BHS_AHS_LEN] * 4 +
			(reader->header_digest ? DIGEST_LEN : 0);
	return held < head ? "header" : "data segment";
}

void pdu_reader_rest(struct pdu_reader *reader)
{
	if (reader->start == reader->end)
		pdu_reader_done(reader);
}

size_t pdu_seal_head(uint8_t *head, size_t ahs_len, uint32_t data_len, bool header_digest)
{
	size_t len = BHS_LEN + ahs_len;

	head[BHS_AHS_LEN] = (uint8_t)(ahs_len / 4);
	put_be24(head + BHS_DATA_LEN, data_len);
	if (!header_digest)
		return len;
	digest_finish(digest_update(DIGEST_START, head, len), head + len);
	return len + DIGEST_LEN;
}

size_t pdu_seal_tail_pieces(uint8_t tail[PDU_TAIL_MAX], size_t data_len, bool data_digest,
			    uint32_t state)
{
	size_t padding = -data_len & 3;

	memset(tail, 0, padding);
	if (!data_digest || data_len == 0)
		return padding;
	digest_finish(digest_update(state, tail, padding), tail + padding);
	return padding + DIGEST_LEN;
}

size_t pdu_seal_tail(uint8_t tail[PDU_TAIL_MAX], const void *data, size_t data_len,
		     bool data_digest)
{
	uint32_t state = data_digest ? digest_update(DIGEST_START, data, data_len) : DIGEST_START;

	return pdu_seal_tail_pieces(tail, data_len, data_digest, state);
}

void pdu_append(struct buf *out, uint8_t bhs[BHS_LEN], const void *data, size_t data_len,
		bool header_digest, bool data_digest)
{
	uint8_t head[BHS_LEN + DIGEST_LEN], tail[PDU_TAIL_MAX];

	memcpy(head, bhs, BHS_LEN);
	buf_add(out, head, pdu_seal_head(head, 0, (uint32_t)data_len, header_digest));
	buf_add(out, data, data_len);
	buf_add(out, tail, pdu_seal_tail(tail, data, data_len, data_digest));
	memcpy(bhs, head, BHS_LEN);
}
