/* SPDX-License-Identifier: MIT */
#include "disconnect_logout.h"

#include <errno.h>
#include <string.h>

#include "err.h"
#include "host/iscsiadm.h"
#include "host/sessions.h"

enum { LOGOUT_MS = 60000 };

/* Those that were there before, and that the logout should have ended. */
static int expect_gone(const struct paths *paths, const struct sessions *before,
		       const struct host_session *ended, struct err *err)
{
	struct sessions now;
	int rc = sessions_load(&now, paths, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < before->count; i++) {
		const struct host_session *session = &before->items[i];

		/* Of what cannot be read iscsiadm need not have taken it for one of them. */
		if (session->port == 0 || !session_shares_logout(ended, session))
			continue;
		for (size_t j = 0; rc == 0 && j < now.count; j++) {
			if (strcmp(now.items[j].name, session->name) == 0 &&
			    strcmp(now.items[j].target, session->target) == 0)
				rc = err_set(err, EIO,
					     "iscsiadm says it is logged out, but %s is still "
					     "there: look at journalctl -u iscsid",
					     session->name);
		}
	}
	sessions_done(&now);
	return rc;
}

static int log_out(const struct paths *paths, const struct host_session *session,
		   const struct iscsiadm_target *target, struct err *err)
{
	struct sessions before;
	bool any = false;
	int rc = sessions_load(&before, paths, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; !any && i < before.count; i++)
		any = session_shares_logout(session, &before.items[i]);
	if (any)
		rc = iscsiadm_ready(paths, err);
	if (any && rc == 0)
		rc = iscsiadm_logout(paths, target, LOGOUT_MS, err);
	if (any && rc >= 0)
		rc = expect_gone(paths, &before, session, err);
	sessions_done(&before);
	return rc < 0 ? rc : !any;
}

int disconnect_logout(const struct paths *paths, const struct host_session *session,
		      struct err *err)
{
	char address[64];
	const struct iscsiadm_target target = {
		.target = session->target,
		.address = address,
		.port = session->port,
		.tag = -1,
		.interface = session->interface,
	};

	if (session->port == 0 || address_canonical(session->address, address, sizeof(address)) < 0)
		return err_set(err, EINVAL,
			       "it has no connection, and so no portal to name to iscsiadm");
	return log_out(paths, session, &target, err);
}
