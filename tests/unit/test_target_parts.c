/* SPDX-License-Identifier: MIT */
/*
 * Parts of sgw-target that stand alone: the backlog of a full socket,
 * deadlines, sessions, expectations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../target/deadline.h"
#include "../target/events.h"
#include "../target/expect.h"
#include "../target/gateway.h"
#include "../target/out.h"
#include "../target/persona.h"
#include "../target/session.h"
#include "../target/transcript.h"
#include "buf.h"
#include "err.h"
#include "iscsi/bytes.h"

static void backlog_text(const struct backlog *backlog, struct buf *out)
{
	out->len = 0;
	for (size_t i = backlog->next; i < backlog->count; i++)
		buf_add(out, backlog->pieces[i].bytes, backlog->pieces[i].len);
}

/* Wherever a full socket stops, and however it goes on, no byte is lost or sent twice. */
static void test_what_a_full_socket_leaves(void **state)
{
	static const char lasting[] = "LASTING";
	static const char whole[] = "headLASTINGtail,more";
	CLEANUP(buf_done) struct buf left = { 0 };
	struct out *out = calloc(1, sizeof(*out));

	(void)state;
	assert_non_null(out);
	for (size_t sent = 0; sent < strlen(whole); sent++) {
		for (size_t then = 0; then <= strlen(whole) - sent; then++) {
			struct backlog *backlog;
			uint8_t *room;

			out_reset(out);
			memcpy(room = out_room(out, 4), "head", 4);
			out_add(out, room, 4, false);
			out_add(out, lasting, 7, true);
			memcpy(room = out_room(out, 5), "tail,", 5);
			out_add(out, room, 5, false);
			memcpy(room = out_room(out, 4), "more", 4);
			out_add(out, room, 4, false);
			assert_int_equal(out->count, 3); /* the last two are neighbours */
			assert_int_equal(out->bytes, strlen(whole));

			backlog = out_keep(out, sent);
			assert_non_null(backlog);
			memset(out->arena, '#', 64); /* another connection's turn */
			backlog_text(backlog, &left);
			assert_string_equal(buf_text(&left), whole + sent);
			assert_int_equal(backlog_sent(backlog, then), sent + then == strlen(whole));
			backlog_text(backlog, &left);
			assert_string_equal(left.len > 0 ? left.data : "", whole + sent + then);
			free(backlog);
		}
	}
	free(out);
}

static void test_deadlines_end_in_order(void **state)
{
	struct deadline_queue queue;
	struct deadline a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	deadline_queue_init(&queue, 100);
	assert_true(deadline_first(&queue) == UINT64_MAX);
	deadline_arm(&queue, &a, 1000);
	deadline_arm(&queue, &b, 1010);
	deadline_arm(&queue, &c, 1020);
	deadline_arm(&queue, &a, 1030); /* anew: behind the others */
	deadline_disarm(&c);
	deadline_disarm(&c);
	assert_true(deadline_first(&queue) == 1110);
	assert_null(deadline_expired(&queue, 1109));
	assert_ptr_equal(deadline_expired(&queue, 1200), &b);
	assert_ptr_equal(deadline_expired(&queue, 1200), &a);
	assert_null(deadline_expired(&queue, 1200));
}

/* Deadlines of their own are sorted, whatever their order was, and whoever is armed anew moves. */
static void test_deadlines_of_their_own(void **state)
{
	struct deadline_queue queue;
	struct deadline a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	deadline_queue_init(&queue, 0);
	deadline_arm_at(&queue, &a, 300);
	deadline_arm_at(&queue, &a, 300); /* alone */
	deadline_arm_at(&queue, &b, 100);
	deadline_arm_at(&queue, &c, 300);
	deadline_arm_at(&queue, &c, 200); /* the last one */
	assert_true(deadline_first(&queue) == 100);
	deadline_queue_shift(&queue, 1000);
	assert_null(deadline_expired(&queue, 1099));
	assert_ptr_equal(deadline_expired(&queue, 5000), &b);
	assert_ptr_equal(deadline_expired(&queue, 5000), &c);
	assert_ptr_equal(deadline_expired(&queue, 5000), &a);
	assert_null(deadline_expired(&queue, 5000));
}

/* TSIHs come round without meeting one that is in use, and never are 0. */
static void test_tsihs_are_never_shared(void **state)
{
	uint8_t isid[ISID_LEN] = { 0x80 };
	struct session_key key = { .initiator = "iqn.2026-01.com.example:a",
				   .isid = isid,
				   .discovery = true };
	struct err err;
	struct gateway *gateway = gateway_new(&err);
	struct session *held, *other;

	(void)state;
	held = session_new(gateway, &key);
	assert_non_null(held);
	key.initiator = "iqn.2026-01.com.example:b";
	for (int i = 0; i < SESSION_TSIHS + 100; i++) {
		other = session_new(gateway, &key);
		assert_non_null(other);
		assert_int_not_equal(other->tsih, 0);
		assert_int_not_equal(other->tsih, held->tsih);
		assert_ptr_equal(session_find(gateway, &key), other);
		session_free(other);
	}
	assert_null(session_find(gateway, &key));
	/*
	 * All of them at once: 65,535, and no more. No two have one key: a
	 * login ends the earlier one.
	 */
	for (int i = 1; i < SESSION_TSIHS - 1; i++) {
		put_be16(isid + 4, (uint16_t)i);
		assert_non_null(session_new(gateway, &key));
	}
	put_be16(isid + 4, UINT16_MAX);
	assert_null(session_new(gateway, &key));
	for (int i = 1; i < SESSION_TSIHS; i++)
		session_free(session_find_tsih(gateway, (uint16_t)i));
	assert_int_equal(gateway->sessions.count, 0);
	gateway_free(gateway);
}

static void test_targets_are_found_by_name(void **state)
{
	struct target_list list = { 0 };
	struct err err;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "v%d", (i * 7919) % 1000);
		assert_int_equal(persona_add_volume(&list, name, DISK_BLOCK, &err), 0);
	}
	assert_int_equal(persona_add_named(&list, "\0\n", 2, DISK_BLOCK, &err), 0);
	assert_int_equal(target_list_sort(&list, &err), 0);
	for (size_t i = 0; i < list.count; i++)
		assert_ptr_equal(
			target_list_find(&list, list.targets[i].name, list.targets[i].name_len),
			&list.targets[i]);
	assert_null(target_list_find(&list, "iqn.1997-05.com.amazon:v", 24));
	assert_null(target_list_find(&list, "", 0));
	target_list_done(&list);

	persona_add_volume(&list, "x", DISK_BLOCK, &err);
	persona_add_volume(&list, "x", DISK_BLOCK, &err);
	assert_true(target_list_sort(&list, &err) < 0);
	target_list_done(&list);
}

static void tell(void *arg, const char *text)
{
	buf_adds(arg, text);
}

/*
 * A login of CHAP=one-way, MaxBurstLength=262144, InitialR2T=Yes,
 * HeaderDigest=None; one refusal.
 */
static void test_expectations(void **state)
{
	static const struct {
		const char *text;
		const char *broken; /* NULL: it holds; "!": it is none */
	} rows[] = {
		{ "CHAP=one-way", NULL },
		{ "CHAP!=none", NULL },
		{ "CHAP=mutual", "expected CHAP=mutual: it was one-way in the login of "
				 "connection 7, iqn.h to iqn.t (and in 1 more)" },
		{ "MaxBurstLength>=262144", NULL },
		{ "MaxBurstLength>=256K", NULL },
		{ "MaxBurstLength<=256K", NULL },
		{ "MaxBurstLength=256K", NULL },
		{ "MaxBurstLength>256K", "" },
		{ "MaxBurstLength<256K", "" },
		{ "MaxBurstLength!=256K", "" },
		{ "InitialR2T=Yes", NULL },
		{ "InitialR2T=No", "" },
		{ "HeaderDigest=None", NULL },
		{ "HeaderDigest!=CRC32C", NULL },
		{ "InitiatorName=iqn.h", NULL },
		{ "TargetName=iqn.x", "" },
		{ "refused=1", NULL },
		{ "refused=0", "expected refused=0: there were 1" },
		{ "logins=2", NULL },
		{ "logins>2", "" },
		{ "", "!" },
		{ "=1", "!" },
		{ "MaxBurstLength", "!" },
		{ "MaxBurstLength~1", "!" },
		{ "MaxBurstLength>=", "!" },
		{ "MaxBurstLength>=many", "!" },
		{ "maxburstlength=1", "!" },
		{ "InitialR2T=yes", "!" },
		{ "InitialR2T>Yes", "!" },
		{ "HeaderDigest=MD5", "!" },
		{ "CHAP=both", "!" },
		{ "TargetName=", "!" },
		{ "TargetAddress=x", "!" },
		{ "CHAP_R=x", "!" },
		{ "reboots=1", "!" },
	};
	uint32_t value[PARAM_COUNT];
	const struct login_facts facts = { .initiator = "iqn.h",
					   .target = "iqn.t",
					   .target_len = 5,
					   .chap = "one-way",
					   .value = value };
	struct events events = { .count = { [EVENT_LOGIN] = 2, [EVENT_REFUSED] = 1 } };

	(void)state;
	for (int i = 0; i < PARAM_COUNT; i++)
		value[i] = param_defs[i].fallback;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_done) struct buf told = { 0 };
		struct expectations *list = NULL;
		struct err err;
		int rc = expectations_add(&list, rows[i].text, &err);
		bool none = rows[i].broken && rows[i].broken[0] == '!';

		print_message("%s\n", rows[i].text);
		assert_int_equal(rc < 0, none);
		if (none)
			continue;
		expectations_login(list, 7, &facts);
		expectations_login(list, 8, &facts);
		assert_int_equal(expectations_broken(list, &events, tell, &told),
				 rows[i].broken ? 1 : 0);
		if (rows[i].broken && rows[i].broken[0] != '\0')
			assert_string_equal(buf_text(&told), rows[i].broken);
		expectations_free(list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_full_socket_leaves),
		cmocka_unit_test(test_deadlines_end_in_order),
		cmocka_unit_test(test_deadlines_of_their_own),
		cmocka_unit_test(test_tsihs_are_never_shared),
		cmocka_unit_test(test_targets_are_found_by_name),
		cmocka_unit_test(test_expectations),
	};

	return cmocka_run_group_tests_name("target_parts", tests, NULL, NULL);
}
