/* SPDX-License-Identifier: MIT */
/* The framer: a stream cut at any place gives the same PDUs, and views stay inside the buffer. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "iscsi/pdu.h"

enum { MAX_DATA = 8192 };

struct trace {
	uint32_t sum; /* over all headers, data and verdicts */
	int count, end; /* end: the last return code */
};

static void note(struct trace *trace, const void *bytes, size_t len)
{
	trace->sum = digest_update(trace->sum, bytes, len);
}

static struct trace run(const uint8_t *data, size_t size, bool header, bool digest, size_t step)
{
	struct trace trace = { .sum = DIGEST_START };
	struct pdu_reader reader;
	struct err err;
	struct pdu pdu;

	pdu_reader_init(&reader, MAX_DATA);
	reader.header_digest = header;
	reader.data_digest = digest;
	while (size > 0 && trace.end >= 0) {
		uint8_t *space;
		size_t len;

		if (pdu_reader_space(&reader, &space, &len, &err) < 0 || len == 0)
			abort();
		len = len < step ? len : step;
		len = len < size ? len : size;
		memcpy(space, data, len);
		data += len;
		size -= len;
		pdu_reader_received(&reader, len);
		while ((trace.end = pdu_reader_next(&reader, &pdu, &err)) > 0) {
			if (pdu.data_len > MAX_DATA || pdu.ahs_len > PDU_AHS_MAX)
				abort();
			trace.count++;
			note(&trace, pdu.bhs, BHS_LEN);
			note(&trace, pdu.ahs, pdu.ahs_len);
			note(&trace, pdu.data, pdu.data_len);
			note(&trace, &pdu.data_digest_bad, 1);
		}
	}
	pdu_reader_done(&reader);
	return trace;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace whole, cut;

	if (size < 2)
		return 0;
	whole = run(data + 2, size - 2, data[0] & 1, data[0] & 2, SIZE_MAX);
	cut = run(data + 2, size - 2, data[0] & 1, data[0] & 2, (size_t)data[1] + 1);
	if (whole.sum != cut.sum || whole.count != cut.count || whole.end != cut.end)
		abort();
	return 0;
}
