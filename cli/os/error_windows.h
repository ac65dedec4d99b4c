/* SPDX-License-Identifier: MIT */
/* Errors of Windows' own functions. */
#ifndef SGW_OS_ERROR_WINDOWS_H
#define SGW_OS_ERROR_WINDOWS_H

struct err;

/* err_set() with what and the words for code, which GetLastError() gave. */
int err_windows(struct err *err, unsigned long code, const char *what) __attribute__((nonnull));

#endif
