/* SPDX-License-Identifier: MIT */
/* A command that failed, for programs: what stands on standard output where there is no result. */
#ifndef SGW_FAILURE_H
#define SGW_FAILURE_H

#include <stdio.h>

#include "options.h"

struct err;

/*
 * In JSON {"schema": …, "ok": false, "error": {"text", "place"}} unless a
 * document of the command's own was printed; in JUnit a suite of one test,
 * which failed; nothing for people, who have it on standard error.
 */
void failure_print(const char *command, enum output output, const struct err *err, FILE *out);

#endif
