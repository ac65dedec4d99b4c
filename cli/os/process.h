/* SPDX-License-Identifier: MIT */
/* What a process inherits, made fit for a program that writes configuration and reads secrets. */
#ifndef SGW_OS_PROCESS_H
#define SGW_OS_PROCESS_H

#include <stdbool.h>

/*
 * Once, first of all: nothing that is opened later can take the number of a
 * standard stream that was closed (reading or writing such a stream fails),
 * modes are not cut by whatever umask the caller has, a limit of the file size
 * or a reader that went is an error instead of the end, the end of a child can
 * be waited for whatever the parent ignores, and no core is dumped, for secrets
 * would be in it. 0, or -1 where not even /dev/null can be opened.
 */
int process_prepare(void);

/* Whether root could do more than this process: a hint for what was not permitted. */
bool process_lacks_root(void);

#endif
