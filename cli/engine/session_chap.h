/* SPDX-License-Identifier: MIT */
/* The CHAP settings that a session runs with, beside those of its record. */
#ifndef SGW_SESSION_CHAP_H
#define SGW_SESSION_CHAP_H

struct host_session;
struct survey;

enum session_chap {
	SESSION_CHAP_SAME,
	SESSION_CHAP_OTHER, /* its record has other names or secrets by now, or got some */
	SESSION_CHAP_LOST, /* its record has no secret of the host any more */
};

/*
 * The session's record against what it logged in with. The same where it has no
 * record among the survey's places, or the kernel does not tell (it tells root
 * alone).
 */
enum session_chap session_chap_of(const struct survey *survey, const struct host_session *session);

#endif
