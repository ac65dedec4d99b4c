/* SPDX-License-Identifier: MIT */
/* The system's words for an errno value. */
#ifndef SGW_OS_ERROR_TEXT_H
#define SGW_OS_ERROR_TEXT_H

/* As strerror(); valid until the next call. Windows' own strerror() knows no socket's errors. */
const char *error_text(int code);

#endif
