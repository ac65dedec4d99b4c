/* SPDX-License-Identifier: MIT */
/*
 * The initiator's login: whatever a target answers, it ends, and it never ends
 * well without the proof that was demanded. The first byte chooses the
 * credentials; then come responses: flags, status, length, text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "iscsi/bytes.h"
#include "iscsi/login.h"

static const struct login_config configs[] = {
	{ .auth = LOGIN_AUTH_NONE },
	{ .auth = LOGIN_AUTH_CHAP, .user = "u", .secret = { "0123456789ab", 12 } },
	{ .auth = LOGIN_AUTH_EITHER, .user = "u", .secret = { "0123456789ab", 12 } },
	{ .auth = LOGIN_AUTH_CHAP,
	  .user = "u",
	  .secret = { "0123456789ab", 12 },
	  .target_secret = { "ba9876543210", 12 },
	  .target_user = "t",
	  .algorithms = { CHAP_SHA256, CHAP_MD5 } },
};

static void start(struct login *login, struct login_config *config, uint8_t choice, struct buf *out)
{
	struct params params;
	struct err err;

	*config = configs[choice % 4];
	config->initiator_name = "iqn.2001-04.com.example:host";
	config->target_name = choice & 4 ? "iqn.2001-04.com.example:disk" : NULL;
	config->portal_group_tag = 1;
	params_init(&params, PARAMS_INITIATOR);
	params_set(&params, PARAM_MAX_BURST_LENGTH, 1048576, &err);
	params_set_list(&params, PARAM_HEADER_DIGEST, "CRC32C,None", &err);
	if (login_start(login, config, &params, out, &err) < 0)
		abort();
}

/* The next response out of the input; the header is right but for what the flags spoil. */
static size_t next_response(const uint8_t *data, size_t size, const struct login *login,
			    uint8_t *bhs, struct pdu *pdu)
{
	size_t len;

	if (size < 4)
		return 0;
	len = get_be16(data + 2);
	len = len < size - 4 ? len : size - 4;
	memset(bhs, 0, BHS_LEN);
	bhs[BHS_OPCODE] = data[1] & 0x80 ? data[1] & OPCODE_MASK : OP_LOGIN_RESPONSE;
	bhs[BHS_FLAGS] = data[0];
	bhs[LOGIN_TSIH] = 1;
	put_be32(bhs + BHS_ITT, login->itt);
	if (data[1] & 0x40)
		put_be16(bhs + LOGIN_STATUS, (uint16_t)((data[1] & 3) << 8 | (data[1] >> 2 & 15)));
	*pdu = (struct pdu){ .bhs = bhs, .data = data + 4, .data_len = len };
	return 4 + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buf_done) struct buf out = { .data = NULL };
	struct login_config config;
	uint8_t bhs[BHS_LEN];
	struct login login;
	struct pdu pdu;
	struct err err;
	size_t used;
	int rc = LOGIN_GOES_ON, rounds = 0;

	if (size < 1)
		return 0;
	start(&login, &config, data[0], &out);
	data++;
	size--;
	while (rc == LOGIN_GOES_ON && (used = next_response(data, size, &login, bhs, &pdu)) > 0) {
		size_t before = out.len;

		rc = login_receive(&login, &pdu, &out, &err);
		if ((rc == LOGIN_GOES_ON) != (out.len > before) || ++rounds > LOGIN_ROUNDS_MAX + 1)
			abort();
		data += used;
		size -= used;
	}
	/*
	 * Nobody can guess the proof: mutual CHAP never comes through, one-way
	 * CHAP never unasked.
	 */
	if (rc == LOGIN_COMPLETE && config.target_secret.len > 0)
		abort();
	if (rc == LOGIN_COMPLETE && config.auth == LOGIN_AUTH_CHAP &&
	    login.ours != VERDICT_ACCEPTED)
		abort();
	login_done(&login);
	return 0;
}
