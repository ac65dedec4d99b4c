/* SPDX-License-Identifier: MIT */
/*
 * What an initiator may send to sgw-target: any bytes, before and after a
 * login, on two connections. The first byte says how: bit 0 and 1 a session
 * that is there (none, normal, discovery, normal with unsolicited data), bit 2 a
 * second connection for the bytes from the middle on, bit 3 small pieces, the
 * bits above which faults are in force.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../target/connection.h"
#include "../target/faults.h"
#include "../target/gateway.h"
#include "buf.h"
#include "err.h"
#include "iscsi/bytes.h"

#define INITIATOR "iqn.2026-01.com.example:host"
#define TARGET "iqn.1997-05.com.amazon:myvolume"

enum {
	SECOND = 4,
	SMALL_PIECES = 8,
	VOLUME_SIZE = 1024 * 1024, /* what is written stays: it has to fit into memory */
};

static const char *const fault_sets[8][4] = {
	{ NULL },
	{ "on scsi: stall 50s" },
	{ "on scsi: ignore" },
	{ "on scsi: fail 3/11/00", "on login nth=2: redirect 192.0.2.1" },
	{ "on nop-out: stall 30s", "on text: stall 30s", "on login: stall 20s" },
	{ "on scsi nth=2: drop", "on nop-out: reset", "on login-request nth=3: drop" },
	{ "on send-targets: hostile-names", "on send-targets: advertise 192.0.2.1" },
	{ "on scsi count=3: stall 10s", "on data-out nth=2: ignore", "on task nth=2: ignore",
	  "on logout: stall 10s" },
};

/* An initiator's end: what comes must be PDUs whose StatSN counts. */
struct end {
	struct connection connection;
	struct pdu_reader reader;
	uint32_t stat_sn;
	bool begun;
};

static struct gateway *make_gateway(void)
{
	static char target[] = TARGET, initiator[] = INITIATOR;
	static char initiator_secret[] = "initiatorsecret", target_secret[] = "targetsecret1";
	static struct chap_entry entry = {
		.target = target,
		.initiator = initiator,
		.initiator_secret = initiator_secret,
		.target_secret = target_secret,
	};
	struct err err;
	struct gateway *gateway = gateway_new(&err);
	const char *unused;

	if (!gateway || persona_add_tape(&gateway->targets, &err) < 0 ||
	    persona_add_volume(&gateway->targets, "myvolume", VOLUME_SIZE, &err) < 0 ||
	    persona_add_volume(&gateway->targets, "other", VOLUME_SIZE, &err) < 0)
		abort();
	gateway->chap = (struct chap_file){ .entries = &entry, .count = 1 };
	gateway->portals = calloc(1, sizeof(*gateway->portals));
	if (!gateway->portals ||
	    socket_address_parse("127.0.0.1", 3260, &gateway->portals[0].address) < 0)
		abort();
	gateway->portal_count = 1;
	if (gateway_prepare(gateway, &unused, &err) < 0)
		abort();
	return gateway;
}

static void set_faults(struct gateway *gateway, const char *const *rules)
{
	static struct faults *faults;
	struct err err;

	if (!faults)
		faults = faults_new(gateway, NULL, &err);
	if (!faults)
		abort();
	faults_clear(faults);
	for (int i = 0; i < 4 && rules[i]; i++)
		if (faults_take(faults, rules[i], &err) < 0)
			abort();
}

static void check_pdu(struct end *end, const struct pdu *pdu)
{
	uint8_t opcode = pdu_opcode(pdu->bhs);
	uint32_t stat_sn = get_be32(pdu->bhs + BHS_STAT_SN);

	if (pdu->data_digest_bad)
		abort();
	if ((opcode == OP_DATA_IN && !(pdu->bhs[BHS_FLAGS] & DATA_STATUS_PRESENT)) ||
	    (opcode == OP_NOP_IN && get_be32(pdu->bhs + BHS_ITT) == TAG_NONE) || opcode == OP_R2T)
		return;
	if (end->begun && stat_sn != end->stat_sn)
		abort();
	end->begun = true;
	end->stat_sn = stat_sn + 1;
}

/* Take what gathered; the digests of the target are those of its next PDU, so they are followed. */
static void take(struct end *end)
{
	struct out *out = &end->connection.gateway->out;
	struct pdu pdu;
	struct err err;
	int rc;

	if (out->used > OUT_ARENA || out->count > OUT_PIECES)
		abort();
	for (size_t i = 0; i < out->count; i++) {
		const uint8_t *bytes = out->pieces[i].bytes;
		size_t left = out->pieces[i].len;

		while (left > 0) {
			uint8_t *space;
			size_t len;

			if (pdu_reader_space(&end->reader, &space, &len, &err) < 0 || len == 0)
				abort();
			len = len < left ? len : left;
			memcpy(space, bytes, len);
			pdu_reader_received(&end->reader, len);
			bytes += len;
			left -= len;
			while ((rc = pdu_reader_next(&end->reader, &pdu, &err)) > 0)
				check_pdu(end, &pdu);
			if (rc < 0)
				abort();
		}
	}
	if (pdu_reader_stage(&end->reader))
		abort();
	out_reset(out);
}

static void begin(struct end *end, struct gateway *gateway)
{
	*end = (struct end){ .begun = false };
	pdu_reader_init(&end->reader, 16777215);
	if (connection_init(&end->connection, gateway, 0, &gateway->portals[0].address,
			    "192.0.2.7:1") < 0)
		abort();
}

static void finish(struct end *end)
{
	connection_done(&end->connection);
	pdu_reader_done(&end->reader);
}

/*
 * A login turns digests on behind its last PDU; to find them on a stream that
 * goes on, stop there.
 */
static bool digests_came(struct end *end)
{
	return end->connection.header_digest != end->reader.header_digest ||
	       end->connection.data_digest != end->reader.data_digest;
}

static void feed(struct end *end, const uint8_t *bytes, size_t len, size_t piece)
{
	while (len > 0 && end->connection.phase < CONNECTION_CLOSING && !end->connection.paused) {
		uint8_t *space;
		size_t some;
		struct err err;
		bool more;

		if (pdu_reader_space(&end->connection.reader, &space, &some, &err) < 0 || some == 0)
			abort();
		some = some < len ? some : len;
		some = some < piece ? some : piece;
		memcpy(space, bytes, some);
		pdu_reader_received(&end->connection.reader, some);
		bytes += some;
		len -= some;
		do {
			more = connection_handle(&end->connection);
			if (digests_came(end)) {
				out_reset(&end->connection.gateway->out);
				connection_end(&end->connection, "digests");
				return;
			}
			take(end);
		} while (more);
	}
}

/* What became of one whose time had come. */
static void feed_late(struct end *end)
{
	bool more;

	do {
		take(end);
		more = connection_handle(&end->connection);
		if (digests_came(end)) {
			out_reset(&end->connection.gateway->out);
			connection_end(&end->connection, "digests");
			return;
		}
	} while (more);
	take(end);
}

static void log_in(struct end *end, const char *text, size_t len)
{
	uint8_t pdu[BHS_LEN + 256] = {
		[BHS_OPCODE] = OPCODE_IMMEDIATE | OP_LOGIN_REQUEST,
		[BHS_FLAGS] =
			LOGIN_TRANSIT | STAGE_OPERATIONAL << LOGIN_CSG_SHIFT | STAGE_FULL_FEATURE,
		[LOGIN_ISID] = 0x80,
	};

	put_be24(pdu + BHS_DATA_LEN, (uint32_t)len);
	memcpy(pdu + BHS_LEN, text, len);
	feed(end, pdu, BHS_LEN + ((len + 3) & ~(size_t)3), SIZE_MAX);
	if (end->connection.phase != CONNECTION_FULL)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char normal[] =
		"InitiatorName=" INITIATOR "\0TargetName=iqn.1997-05.com.amazon:other"
		"\0MaxRecvDataSegmentLength=512";
	static const char discovery[] = "InitiatorName=" INITIATOR "\0SessionType=Discovery"
					"\0MaxRecvDataSegmentLength=512";
	static const char unasked[] =
		"InitiatorName=" INITIATOR "\0TargetName=iqn.1997-05.com.amazon:other"
		"\0InitialR2T=No\0MaxBurstLength=512\0FirstBurstLength=512\0MaxOutstandingR2T=2";
	static struct gateway *gateway;
	struct end first, second;
	struct connection *late;
	size_t piece, middle;

	if (size < 1)
		return 0;
	if (!gateway)
		gateway = make_gateway();
	gateway->now = 1000;
	set_faults(gateway, fault_sets[0]);
	piece = data[0] & SMALL_PIECES ? 7 : SIZE_MAX;
	middle = data[0] & SECOND ? (size - 1) / 2 : size - 1;
	begin(&first, gateway);
	begin(&second, gateway);
	if ((data[0] & 3) == 1)
		log_in(&first, normal, sizeof(normal));
	if ((data[0] & 3) == 2)
		log_in(&first, discovery, sizeof(discovery));
	if ((data[0] & 3) == 3)
		log_in(&first, unasked, sizeof(unasked));
	set_faults(gateway, fault_sets[data[0] >> 4 & 7]);
	feed(&first, data + 1, middle, piece);
	feed(&second, data + 1 + middle, size - 1 - middle, piece);
	/* Long enough for every deadline, a ping and its answer among them. */
	for (int i = 0; i < 4; i++) {
		gateway->now += 100000;
		while ((late = gateway_expire(gateway)) != NULL)
			feed_late((struct end *)(void *)late);
	}
	finish(&first);
	finish(&second);
	gateway->ended = NULL;
	if (gateway->sessions.count != 0 || gateway->connection_count != 0)
		abort();
	return 0;
}
