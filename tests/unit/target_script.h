/* SPDX-License-Identifier: MIT */
/* A raw initiator for tests of sgw-target: scripts of PDUs, sent to it without a socket. */
#ifndef SGW_TEST_TARGET_SCRIPT_H
#define SGW_TEST_TARGET_SCRIPT_H

#include <stdbool.h>

/*
 * Run a script against a fresh gateway. One step a line; a letter a … d before
 * it names the connection (a where it is left out), which opens at its first use.
 *
 *   chap KIND          oneway, mutual or any (any initiator, mutual); before all else
 *   limit NAME N       connections, sessions, initiators, part, requests, text
 *   targets N          volume-00001 … beside myvolume
 *   hostile N          a target whose name is N bytes that no name may have
 *   tape               the targets of a tape gateway, too (as the first line)
 *   generous           myvolume has a command c0 00 and a length: it answers so many bytes
 *   attentive          the unit attention of a new nexus is not taken away before its first command
 *   portal HOST:PORT   another portal; the first is 127.0.0.1:3260
 *   fault RULE         from now on; "on" alone
 *   wait MS            let time pass
 *   pull N             ask for all targets, follow the parts of the answer: there are N
 *   count N BYTES      read so many bytes from block 0; they come in N Data-In PDUs
 *   new                begin anew with this connection
 *
 *   > 0/1T OPT : PAIR|PAIR       Login Request: CSG/NSG, T, C
 *   > VERB OPT : TEXT            any other: see `verbs` in target_script.c
 *   < 0201 : PAIR|PAIR           Login Response: status, CSG/NSG and T where it went through
 *   < KIND OPT : TEXT            any other response
 *   < none   < open   < closed   nothing came; nothing came and it lives; it was closed
 *
 * OPT: I (immediate), F, C, R, W, raw (no NUL behind the text), and NAME=NUMBER
 * for fields: itt ttt sn esn cid tsih isid vmin vmax len lun dsl op ref refsn datasn
 * offset; ttt=rN is that of the R2T with R2TSN N; data=N sends N letters, byte=X that one.
 * Without them they are what a good initiator sends; tsih=a takes that of a.
 * Pairs I, T, D, N stand for InitiatorName, TargetName, SessionType=Discovery,
 * =Normal. In an expectation: KEY=* any value; -KEY absent; ! in front: nothing
 * but these, in this order.
 * In values: %x{N} N letters x; %h{N} 0x and N bytes; %R{S} the right answer to the
 * target's challenge with secret S, also %U (0X, upper case), %B (base64), %Z (a
 * wrong bit), %L (one byte more), %S (one less), %D (no prefix); %M{S} what the target must
 * answer to ours; %C the target's challenge sent back; %O an earlier connection's.
 *
 * On each response it is checked that StatSN, ExpCmdSN and MaxCmdSN do what RFC
 * 7143, 4.2.2 asks, and that no challenge is sent twice. True, or false and
 * what is wrong in `why`.
 */
bool script_run(const char *script, char why[512]);

/* A table of them; prints each that failed with its name and returns how many did. */
struct script_row {
	const char *name; /* the rule's id, and the case */
	const char *script;
};
int script_run_rows(const struct script_row *rows, int count);

#endif
