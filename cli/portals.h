/* SPDX-License-Identifier: MIT */
/*
 * The PORTAL arguments of a command, asked for their targets, and what was odd
 * about the answers.
 */
#ifndef SGW_PORTALS_H
#define SGW_PORTALS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/wanted.h"
#include "host/records.h"
#include "iscsi/initiator.h"

struct err;
struct paths;

/* Who asks where this host's InitiatorName cannot be read (initiatorname.iscsi is for root). */
#define PORTALS_PLACEHOLDER "iqn.2000-01.com.example:sgw-init-discover"

struct portals {
	struct discovery_result *results; /* one a portal, in order, none twice */
	size_t count;
	const char **targets; /* of Storage Gateways, sorted by bytes, each once */
	size_t target_count;
};

/*
 * Ask all of them at once and warn of what is odd; timeout_ms of silence ends
 * an attempt to connect and the wait for an answer (0: initiator.h's defaults).
 * A text that is no portal is -ERR_USAGE before any is asked; a portal that
 * fails is a result with its error, and no failure of this call.
 */
int portals_discover(struct portals *portals, const struct paths *paths, char *const *args,
		     size_t count, uint32_t timeout_ms, struct err *err);
void portals_done(struct portals *portals);

/* The same for whoever asks by himself: this host's name or the placeholder, with a warning. */
void portals_initiator_name(const struct paths *paths, char name[ISCSI_NAME_SIZE]);
/* Warn of what is odd about an answer. */
void portal_warn(const struct discovery_result *result);

/* The same of the addresses that it tells, for who looks at them alone and makes no records. */
void portal_warn_told(const struct discovery_result *result);

/* What a portal is, by the first of its targets that tells. */
enum gateway_kind portal_kind(const struct discovery_result *result);

/* The address that answered, as a portal with its port; false where none was reached. */
bool portal_reached(const struct discovery_result *result, struct portal *reached);

#endif
