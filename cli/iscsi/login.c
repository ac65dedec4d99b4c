/* SPDX-License-Identifier: MIT */
#include "iscsi/login.h"

#include <errno.h>
#include <string.h>

#include "err.h"
#include "iscsi/bytes.h"
#include "iscsi/login_steps.h"
#include "iscsi/status.h"
#include "os/random.h"

enum { LOGIN_ITT = 1, LOGIN_CMD_SN = 1 };

int login_isid_random(uint8_t isid[ISID_LEN], struct err *err)
{
	int rc = random_bytes(isid, ISID_LEN, err);

	isid[0] = 0x80;
	return rc;
}

/* The next piece of our text; all pieces but the last have C and cannot have T (11.12.2). */
static int send_request(struct login *login, struct buf *out, struct err *err)
{
	const struct login_config *config = login->config;
	uint8_t bhs[BHS_LEN] = { OP_LOGIN_REQUEST | OPCODE_IMMEDIATE };
	size_t left = login->text.len - login->text_sent;
	size_t len = left > PDU_LOGIN_DATA_MAX ? PDU_LOGIN_DATA_MAX : left;

	if (login->text.failed)
		return err_oom(err);
	/* We ask for CHAP and nothing else: there is no moving on before it. */
	login->transit = login_stages[login->step].transit && len == left &&
			 !(login->step == STEP_METHOD && config->auth == LOGIN_AUTH_CHAP);
	bhs[BHS_FLAGS] = (uint8_t)(login_stages[login->step].csg << LOGIN_CSG_SHIFT);
	if (login->transit)
		bhs[BHS_FLAGS] |= (uint8_t)(LOGIN_TRANSIT | login_stages[login->step].nsg);
	if (len < left)
		bhs[BHS_FLAGS] |= FLAG_CONTINUE;
	memcpy(bhs + LOGIN_ISID, config->isid, ISID_LEN);
	put_be16(bhs + LOGIN_TSIH, 0);
	put_be32(bhs + BHS_ITT, login->itt);
	put_be32(bhs + BHS_CMD_SN, login->cmd_sn);
	put_be32(bhs + BHS_EXP_STAT_SN, login->exp_stat_sn);
	pdu_append(out, bhs, buf_text(&login->text) + login->text_sent, len, false, false);
	login->text_sent += len;
	if (login->text_sent == login->text.len)
		login->text.len = login->text_sent = 0;
	return out->failed ? err_oom(err) : LOGIN_GOES_ON;
}

int login_start(struct login *login, const struct login_config *config, const struct params *params,
		struct buf *out, struct err *err)
{
	static const char *const methods[] = {
		[LOGIN_AUTH_NONE] = "None",
		[LOGIN_AUTH_CHAP] = "CHAP",
		[LOGIN_AUTH_EITHER] = "CHAP,None",
	};
	int rc;

	*login = (struct login){
		.config = config,
		.params = *params,
		.itt = LOGIN_ITT,
		.cmd_sn = LOGIN_CMD_SN,
		.text.secret = true, /* CHAP_R */
	};
	if (config->auth != LOGIN_AUTH_NONE) {
		if (!config->user)
			return err_set(err, EINVAL, "CHAP needs a user name");
		rc = chap_secrets_check(config->secret, config->target_secret, err);
		if (rc < 0)
			return rc;
	}
	rc = params_set(&login->params, PARAM_SESSION_TYPE,
			config->target_name ? SESSION_NORMAL : SESSION_DISCOVERY, err);
	if (rc == 0)
		rc = params_set_list(&login->params, PARAM_AUTH_METHOD, methods[config->auth], err);
	if (rc < 0)
		return rc;
	text_add(&login->text, "InitiatorName", config->initiator_name);
	if (config->target_name)
		text_add(&login->text, "TargetName", config->target_name);
	params_offer(&login->params, PARAM_SESSION_TYPE, &login->text);
	params_offer(&login->params, PARAM_AUTH_METHOD, &login->text);
	return send_request(login, out, err);
}

void login_done(struct login *login)
{
	buf_done(&login->in);
	buf_done(&login->text);
	buf_done(&login->notes);
}

/* The header: 11.13. What holds for any response whatever its text. */
static int check_header(struct login *login, const struct pdu *pdu, struct err *err)
{
	uint8_t opcode = pdu_opcode(pdu->bhs);
	char name[16];

	if (opcode == OP_REJECT)
		return login_fault(
			login, "11.17.1", err, "the target rejected our request: %s (0x%02x)",
			status_of_reject(pdu->bhs[REJECT_REASON]), pdu->bhs[REJECT_REASON]);
	if (opcode != OP_LOGIN_RESPONSE)
		return login_fault(login, "6.3", err,
				   "the target sent a %s instead of a Login Response",
				   pdu_opcode_name(opcode, name));
	if (get_be32(pdu->bhs + BHS_ITT) != login->itt)
		return login_fault(login, "11.13", err, "the target answers another task (0x%08x)",
				   get_be32(pdu->bhs + BHS_ITT));
	if (++login->rounds > LOGIN_ROUNDS_MAX)
		return login_fault(login, "6.2", err,
				   "the target does not come to an end (%d responses)",
				   LOGIN_ROUNDS_MAX);
	login->status = get_be16(pdu->bhs + LOGIN_STATUS);
	login->exp_stat_sn = get_be32(pdu->bhs + BHS_STAT_SN) + 1;
	login->exp_cmd_sn = get_be32(pdu->bhs + BHS_EXP_CMD_SN);
	login->max_cmd_sn = get_be32(pdu->bhs + BHS_MAX_CMD_SN);
	return 0;
}

/* The rest of the header, which has a meaning only where the status is 0. */
static int check_stages(struct login *login, const struct pdu *pdu, struct err *err)
{
	uint8_t flags = pdu->bhs[BHS_FLAGS];
	unsigned int csg = (flags & LOGIN_CSG) >> LOGIN_CSG_SHIFT, nsg = flags & LOGIN_NSG;

	if (memcmp(pdu->bhs + LOGIN_ISID, login->config->isid, ISID_LEN) != 0)
		return login_fault(login, "11.13", err,
				   "the target answers another session's ISID");
	if (pdu->bhs[LOGIN_VERSION_MIN] != 0)
		return login_fault(login, "11.13.2", err,
				   "the target speaks version 0x%02x of iSCSI",
				   pdu->bhs[LOGIN_VERSION_MIN]);
	if (csg != login_stages[login->step].csg)
		return login_fault(login, "11.13.6", err, "the target answers in stage %u", csg);
	if ((flags & LOGIN_TRANSIT) && (flags & FLAG_CONTINUE))
		return login_fault(login, "11.13.7", err,
				   "the target has more to say and moves on at once");
	if ((flags & LOGIN_TRANSIT) && !login->transit)
		return login_fault(login, "11.13.6", err, "the target moves on unasked");
	if ((flags & LOGIN_TRANSIT) && nsg != login_stages[login->step].nsg)
		return login_fault(login, "11.13.6", err, "the target moves on to stage %u", nsg);
	login->tsih = get_be16(pdu->bhs + LOGIN_TSIH);
	return 0;
}

/* Redirection: TargetAddress, one or more, in the target's order (13.8). */
static int take_redirect(struct login *login, const struct pdu *pdu, struct err *err)
{
	struct text_iter it = { (const char *)pdu->data, pdu->data_len };
	const char *words = status_of_login(login->status)->words;
	struct text_pair pair;
	struct err cause;
	int rc;

	while ((rc = text_next(&it, &pair, &cause)) > 0) {
		struct portal *to = &login->redirects[login->redirect_count];

		if (strcmp(pair.key, "TargetAddress") != 0 ||
		    login->redirect_count == LOGIN_REDIRECTS_MAX)
			continue;
		if (portal_parse_peer(pair.value, pair.value_len, to, &cause) < 0)
			login_note(login, "redirected to what is no address: %s", cause.reason);
		else
			login->redirect_count++;
	}
	if (login->redirect_count == 0)
		return login_fault(login, "11.13.5", err,
				   "%s, but does not say where to (status 0x%04x)", words,
				   login->status);
	return LOGIN_REDIRECTED;
}

/* Status class 2 and 3, and what the standard does not know: what it means depends on the step. */
static int take_refusal(struct login *login, struct err *err)
{
	const struct status_words *status = status_of_login(login->status);
	const char *words = status->words, *remedy = status->remedy;

	if (login->status == LOGIN_AUTHENTICATION_FAILED && login->step == STEP_METHOD) {
		login->ours = VERDICT_NO_METHOD;
		words = login->config->auth == LOGIN_AUTH_NONE ? "the target demands CHAP"
							       : "the target refuses CHAP";
		remedy = login->config->auth == LOGIN_AUTH_NONE
				 ? "give the credentials that are set at the target"
				 : "set CHAP at the target, or log in without it";
	} else if (login->status == LOGIN_AUTHENTICATION_FAILED && login->step == STEP_ALGORITHM) {
		login->ours = VERDICT_NO_ALGORITHM;
		words = "the target does none of the CHAP algorithms that were offered";
		remedy = NULL;
	} else if (login->status == LOGIN_AUTHENTICATION_FAILED) {
		login->ours = VERDICT_WRONG;
		if (login->config->target_secret.len > 0)
			remedy = "compare CHAP user name and secret with those set at the target, "
				 "and look whether the target has a secret to prove itself with";
	} else if (login->status == LOGIN_INITIATOR_ERROR && login->step == STEP_ALGORITHM) {
		remedy = "it may do none of the CHAP algorithms that were offered: try MD5";
	} else if (login->status == LOGIN_FORBIDDEN && login->step == STEP_PROOF) {
		login->ours = VERDICT_ACCEPTED;
	}
	return err_set(err, status->fault == FAULT_TARGET ? EBUSY : EACCES,
		       "login failed: %s (status 0x%04x; %s)%s%s", words, login->status,
		       login_stages[login->step].name, remedy ? ": " : "", remedy ? remedy : "");
}

/* Note a security key; the values stay in the response's text. */
static void keep(struct login_answer *answer, enum param key, const struct text_pair *pair,
		 const struct params *params)
{
	if (key == PARAM_AUTH_METHOD)
		answer->keys |= params->value[key] == AUTH_CHAP ? KEY_CHAP : KEY_NONE;
	else if (key == PARAM_CHAP_A)
		answer->keys |= KEY_A, answer->a = pair->value;
	else if (key == PARAM_CHAP_I)
		answer->keys |= KEY_I, answer->i = pair->value;
	else if (key == PARAM_CHAP_C)
		answer->keys |= KEY_C, answer->c = pair->value;
	else if (key == PARAM_CHAP_N)
		answer->keys |= KEY_N, answer->n = pair->value;
	else if (key == PARAM_CHAP_R)
		answer->keys |= KEY_R, answer->r = pair->value;
}

/* What one pair led to, where it leads to more than a value. */
static int judge(struct login *login, enum param key, int outcome, const struct text_pair *pair,
		 struct err *err)
{
	int32_t tag = login->config->portal_group_tag;
	char text[16];

	if (outcome >= PARAMS_PEER_REJECTED && key == PARAM_AUTH_METHOD) {
		login->ours = VERDICT_NO_METHOD;
		return login_fault(login, "12.1", err,
				   "the target does none of the offered methods (%s)",
				   login->config->auth == LOGIN_AUTH_NONE ? "None" : "CHAP");
	}
	if (outcome == PARAMS_PEER_REJECTED || outcome == PARAMS_PEER_NOT_UNDERSTOOD)
		login_note(login, "the target answered %s=%s: %s holds", pair->key, pair->value,
			   param_text(key, login->params.value[key], text));
	if (outcome >= PARAMS_ANSWERED && outcome <= PARAMS_IRRELEVANT)
		login->waiting++;
	if (key == PARAM_TARGET_PORTAL_GROUP_TAG && tag != PORTAL_NO_TAG &&
	    login->params.value[key] != (uint32_t)tag)
		login_note(login, "the target is in portal group %u here, not %d as was discovered",
			   login->params.value[key], (int)tag);
	return 0;
}

/* All pairs of a whole answer; our answers to the target's own offers go into login->text. */
static int take_text(struct login *login, struct login_answer *answer, struct err *err)
{
	struct text_iter it = { buf_text(&login->in), login->in.len };
	struct text_pair pair;
	struct err cause = { .code = 0 };
	enum param key;
	int rc;

	login->waiting = 0;
	while ((rc = text_next(&it, &pair, &cause)) > 0) {
		rc = params_receive(&login->params, login_stages[login->step].csg, &pair,
				    &login->text, &key, &cause);
		if (rc < 0 && key == PARAM_AUTH_METHOD) {
			login->ours = VERDICT_NO_METHOD;
			return login_fault(
				login, "6.2.1", err,
				"the target wants AuthMethod=%.64s, which was not offered",
				pair.value);
		}
		if (rc < 0)
			break;
		if (rc == PARAMS_SECURITY || (rc == PARAMS_AGREED && key == PARAM_AUTH_METHOD))
			keep(answer, key, &pair, &login->params);
		rc = judge(login, key, rc, &pair, err);
		if (rc < 0)
			return rc;
	}
	params_settle(&login->params, &login->text);
	if (rc < 0)
		return login_fault(login, "6.2", err, "%.400s", cause.reason);
	return 0;
}

static int out_of_step(const struct login *login, const struct login_answer *answer, bool transit,
		       struct err *err)
{
	static const char *const names[] = { "AuthMethod=None", "AuthMethod=CHAP", "CHAP_A",
					     "CHAP_I",		"CHAP_C",	   "CHAP_N",
					     "CHAP_R" };
	CLEANUP(buf_done) struct buf keys = { .data = NULL };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (answer->keys >> i & 1)
			buf_addf(&keys, "%s, ", names[i]);
	return login_fault(login, "6.3", err, "the target's answer is out of step (%sT=%d)",
			   buf_text(&keys), transit);
}

/* Find the answer's row, do what it says, and send what is due. */
static int take_step(struct login *login, const struct login_answer *answer, bool transit,
		     struct buf *out, struct err *err)
{
	const struct login_row *row = login_find_row(login->step, answer->keys, transit);
	int rc;

	if (!row)
		return out_of_step(login, answer, transit, err);
	login->section = row->section;
	rc = row->act ? row->act(login, answer, err) : 0;
	if (rc < 0)
		return rc;
	if (row->next == STEP_OPERATIONAL && row->step != STEP_OPERATIONAL) {
		if (login->config->proofs_only)
			return err_set(err, ECANCELED, "proven, and no more was asked for");
		params_offer_wanted(&login->params, &login->text);
	}
	login->step = row->next;
	login->in.len = 0;
	return login->step == STEP_DONE ? LOGIN_COMPLETE : send_request(login, out, err);
}

static int receive(struct login *login, const struct pdu *pdu, struct buf *out, struct err *err)
{
	struct login_answer answer = { .keys = 0 };
	unsigned int class;
	int rc = check_header(login, pdu, err);

	if (rc < 0)
		return rc;
	class = login->status >> 8;
	if (class == 1)
		return take_redirect(login, pdu, err);
	if (login->status != LOGIN_SUCCESS)
		return take_refusal(login, err);
	rc = check_stages(login, pdu, err);
	if (rc < 0)
		return rc;
	if (login->text_sent > 0) { /* in the middle of our own continued text (6.2) */
		if (pdu->data_len > 0)
			return login_fault(login, "6.2", err,
					   "the target interrupts our continued text");
		return send_request(login, out, err);
	}
	if (login->in.len + pdu->data_len > LOGIN_TEXT_MAX)
		return login_fault(login, "6.2", err, "the target's text is longer than %d bytes",
				   LOGIN_TEXT_MAX);
	buf_add(&login->in, pdu->data, pdu->data_len);
	if (login->in.failed)
		return err_oom(err);
	if (pdu->bhs[BHS_FLAGS] & FLAG_CONTINUE)
		return send_request(login, out, err); /* empty: it fetches the next part */
	rc = take_text(login, &answer, err);
	if (rc < 0)
		return rc;
	return take_step(login, &answer, pdu->bhs[BHS_FLAGS] & LOGIN_TRANSIT, out, err);
}

int login_receive(struct login *login, const struct pdu *pdu, struct buf *out, struct err *err)
{
	int rc;

	if (login->step == STEP_DONE || login->step == STEP_FAILED)
		return err_set(err, EPROTO, "the login is over");
	rc = receive(login, pdu, out, err);
	if (rc < 0)
		login->step = STEP_FAILED;
	return rc;
}
