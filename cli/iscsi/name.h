/* SPDX-License-Identifier: MIT */
/* iSCSI names: what one may look like (RFC 7143, 4.2.7). */
#ifndef SGW_ISCSI_NAME_H
#define SGW_ISCSI_NAME_H

#include <stddef.h>

struct err;

enum { NAME_MAX_LEN = 223 }; /* bytes (4.2.7.1) */

/*
 * Check a name of len bytes, which somebody else chose, before it is shown,
 * compared, or made part of a path: iqn. with its date, eui. with 16 hex
 * digits, naa. with 16 or 32; in UTF-8; of characters that the standard allows.
 *
 * Returns 0; 1 where the name has characters that the standard does not allow
 * but targets in the field have (upper case, '_', ';'): *err is the remark;
 * -EINVAL where it must not be used. *err has the name as it came: err_print
 * escapes it.
 */
int name_check(const char *name, size_t len, struct err *err) __attribute__((nonnull));

#endif
