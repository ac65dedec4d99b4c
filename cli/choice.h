/* SPDX-License-Identifier: MIT */
/*
 * Which sessions and records of Storage Gateways a command line is about, by
 * PORTAL... and --target alone: no portal is asked.
 */
#ifndef SGW_CHOICE_H
#define SGW_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct options;
struct forgotten;
struct paths;
struct sessions;

struct chosen_address {
	char host[256]; /* canonical, without brackets; a name as it was typed */
	uint16_t port;
	char *unresolved; /* why a name has no address; NULL where it has one, or was not asked */
	bool met; /* it was that of a session or record, as it stands */
	bool more; /* another one of the same argument comes behind it */
};

struct choice {
	const char *target; /* NULL: any */
	struct chosen_address *addresses;
	size_t count; /* 0: any */
	struct forgotten *forgotten; /* what choice_exists() knows by the journal alone */
	size_t forgotten_count;
};

/*
 * -ERR_USAGE for what is no portal, for a range, and for a target that is none
 * of a Storage Gateway. A host name stands for itself and, on the live host,
 * for the addresses that it has; see choice_check(). The caller ends it by
 * choice_done().
 */
int choice_make(struct choice *choice, const struct options *opt, struct err *err);
void choice_done(struct choice *choice);

/* Whether it is a gateway's, and one of the chosen. */
bool choice_has(const struct choice *choice, const char *target, const char *address,
		uint16_t port);

/*
 * Before anything is done: -ENOENT for a name without an address
 * that is none of a session or record either. Nobody can say that there is
 * nothing behind it.
 */
int choice_check(struct choice *choice, const struct sessions *sessions, const struct paths *paths,
		 struct err *err);

/*
 * For a command that ends what is there: -ENOENT also for a portal or target
 * of which there is neither a session nor a record, as a misspelled one. One
 * whose record was forgotten is none: where nothing else is there of what was
 * named, what was forgotten of it is in choice->forgotten.
 */
int choice_exists(struct choice *choice, const struct sessions *sessions, const struct paths *paths,
		  struct err *err);

#endif
