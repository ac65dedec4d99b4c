/* SPDX-License-Identifier: MIT */
/* The CHAP settings that a session runs with, beside those of its record. */
#ifndef SGW_SESSION_CHAP_H
#define SGW_SESSION_CHAP_H

#include <stdbool.h>

struct host_session;
struct survey;

/*
 * Whether the names or secrets of the session's record are others than those it
 * logged in with. False where it has no record among the survey's places, or
 * the kernel does not tell (it tells root alone).
 */
bool session_chap_is_stale(const struct survey *survey, const struct host_session *session);

#endif
