/* SPDX-License-Identifier: MIT */
/* Records that are gone because an entry of the journal removed them. Read-only. */
#ifndef SGW_FORGOTTEN_H
#define SGW_FORGOTTEN_H

#include <stddef.h>
#include <stdint.h>

#include "engine/tx.h"
#include "host/records.h"

struct err;
struct paths;

struct forgotten {
	char target[ISCSI_NAME_SIZE];
	char address[64]; /* canonical */
	uint16_t port;
	char id[TX_ID_MAX]; /* the entry that removed it */
};

/*
 * One for each target and portal whose record an entry removed that stands,
 * and that neither a later one nor an undo brought back; what others made
 * there since is not looked at. One that is half done counts as undone, since
 * the next run makes it so; one that is damaged tells nothing. None where the
 * journal is missing. Free with free().
 */
int forgotten_list(const struct paths *paths, struct forgotten **list, size_t *count,
		   struct err *err);

#endif
