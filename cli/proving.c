/* SPDX-License-Identifier: MIT */
#include "proving.h"

#include <errno.h>
#include <string.h>

#include "credentials.h"
#include "err.h"
#include "iscsi/portal.h"
#include "probing.h"

enum { ANSWER_MS = 5000 };

static bool would_refuse(enum probe_cause cause)
{
	switch (cause) {
	case PROBE_REFUSED_US:
	case PROBE_WRONG_PROOF:
	case PROBE_WRONG_NAME:
	case PROBE_NO_PROOF:
	case PROBE_CHAP_DEMANDED:
	case PROBE_NO_METHOD:
	case PROBE_NO_ALGORITHM:
		return true;
	default:
		return false;
	}
}

static int try_login(struct probed *probed, const struct credentials_store *store, struct err *err)
{
	enum probe_cause cause;
	const char *remedy;
	int rc;

	params_init(&probed->offers, PARAMS_INITIATOR);
	rc = probing_run(probed, 1, store->initiator, ANSWER_MS, false, err);
	if (rc < 0)
		return rc;
	cause = probed_cause(probed);
	if (!would_refuse(cause))
		return 0;
	remedy = probed_remedy(probed);
	return err_set(err, EACCES, "a new login would fail: %s%s%s", probe_cause_text(cause),
		       remedy ? "; " : "", remedy ? remedy : "");
}

int proving_try(const struct paths *paths, const struct record *record, struct err *err)
{
	struct credentials_store store = { 0 };
	struct probed probed = { .target = record->target, .proofs_only = true };
	char portal[PORTAL_TEXT_MAX];
	int rc;

	/* One that is bound to an interface may go another way than we would. */
	if (strcmp(record->interface, "default") != 0 && record->interface[0] != '\0')
		return 0;
	portal_text_of(record->address, record->port, portal);
	rc = portal_parse(portal, &probed.portal, err);
	if (rc == 0)
		rc = credentials_open(&store, paths, NULL, err);
	if (rc == 0)
		rc = credentials_find(&store, record->target, record->address, record->port,
				      &probed.credentials, err);
	if (rc == 0)
		rc = try_login(&probed, &store, err);
	probed_done(&probed);
	credentials_close(&store);
	return rc;
}
