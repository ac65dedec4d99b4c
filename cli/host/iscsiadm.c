/* SPDX-License-Identifier: MIT */
#include "host/iscsiadm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "host/paths.h"
#include "host/program.h"
#include "host/services.h"
#include "iscsi/portal.h"
#include "quote.h"

enum { SESSION_EXISTS = 15, NOTHING_FOUND = 21 };

#define NEXT_LOG "look at journalctl -u iscsid"
#define NEXT_REACH "sgw-init discover PORTAL tells whether the gateway answers"
#define NEXT_START "start iscsid, then try again"

/* iscsiadm(8), EXIT STATUS; 33 came with open-iscsi 2.1.6. In the order of the codes. */
static const struct iscsiadm_code codes[] = {
	{ 0, "ISCSI_SUCCESS", "done", NULL, NULL, ISCSIADM_HARMLESS },
	{ 1, "ISCSI_ERR", "it failed and does not say why", NULL, NEXT_LOG, ISCSIADM_LOOK },
	{ 2, "ISCSI_ERR_SESS_NOT_FOUND", "there is no such session",
	  "it ended in the meantime, or iscsid lost track of it", "sgw-init devices lists them",
	  ISCSIADM_LOOK },
	{ 3, "ISCSI_ERR_NOMEM", "memory ran out", NULL, "free some memory", ISCSIADM_LOOK },
	{ 4, "ISCSI_ERR_TRANS", "no connection to the portal",
	  "the gateway is down, or a firewall is in between", NEXT_REACH, ISCSIADM_RETRY },
	{ 5, "ISCSI_ERR_LOGIN", "the login failed",
	  "the gateway refused it for a reason that iscsid logs",
	  "sgw-init probe PORTAL --target IQN tells why", ISCSIADM_LOOK },
	{ 6, "ISCSI_ERR_IDBM", "the node database cannot be used",
	  "a damaged record, or a file that is none of its own", "sgw-init check names it",
	  ISCSIADM_NEVER },
	{ 7, "ISCSI_ERR_INVAL", "it refuses its arguments",
	  "a version of open-iscsi that differs from those known here", NEXT_LOG, ISCSIADM_NEVER },
	{ 8, "ISCSI_ERR_TRANS_TIMEOUT", "the portal did not answer in time",
	  "the gateway is down or unreachable, or it refuses the login by silence", NEXT_REACH,
	  ISCSIADM_RETRY },
	{ 9, "ISCSI_ERR_INTERNAL", "iscsid or the kernel failed", NULL,
	  "look at dmesg and journalctl -u iscsid", ISCSIADM_LOOK },
	{ 10, "ISCSI_ERR_LOGOUT", "the logout failed",
	  "the gateway did not answer it, or the session is in use", NEXT_LOG, ISCSIADM_LOOK },
	{ 11, "ISCSI_ERR_PDU_TIMEOUT", "the gateway took the connection and never answered",
	  "the gateway hangs or restarts", NEXT_REACH, ISCSIADM_RETRY },
	{ 12, "ISCSI_ERR_TRANS_NOT_FOUND", "the kernel has no iSCSI over TCP",
	  "the module iscsi_tcp is not loaded", "modprobe iscsi_tcp", ISCSIADM_NEVER },
	{ 13, "ISCSI_ERR_ACCESS", "iscsid takes no orders from this user", "this is not root",
	  "run it as root", ISCSIADM_NEVER },
	{ 14, "ISCSI_ERR_TRANS_CAPS", "the transport cannot do this",
	  "the record is for an adapter of its own kind", "see iface.transport_name in the record",
	  ISCSIADM_NEVER },
	{ 15, "ISCSI_ERR_SESS_EXISTS", "it is logged in already", NULL, NULL, ISCSIADM_HARMLESS },
	{ 16, "ISCSI_ERR_INVALID_MGMT_REQ", "iscsid does not understand the request",
	  "iscsiadm and iscsid are of different versions",
	  "restart iscsid at a time when nothing is in use", ISCSIADM_NEVER },
	{ 17, "ISCSI_ERR_ISNS_UNAVAILABLE", "there is no iSNS service", NULL, NEXT_LOG,
	  ISCSIADM_LOOK },
	{ 18, "ISCSI_ERR_ISCSID_COMM_ERR", "iscsid broke off in the midst of the request",
	  "it restarted or crashed", NEXT_START, ISCSIADM_RETRY },
	{ 19, "ISCSI_ERR_FATAL_LOGIN", "the login failed for good",
	  "the gateway has no such target any more, or this host refused the proof of the target: "
	  "another secret than the record has (SecretToAuthenticateTarget), or both of the secrets "
	  "are the same",
	  "sgw-init probe PORTAL --target IQN tells which; sgw-init apply --chap FILE writes the "
	  "gateway's credentials into the record",
	  ISCSIADM_NEVER },
	{ 20, "ISCSI_ERR_ISCSID_NOTCONN", "iscsid does not run", NULL, NEXT_START, ISCSIADM_RETRY },
	{ 21, "ISCSI_ERR_NO_OBJS_FOUND", "there is nothing of that name",
	  "its record is gone, or lies where this iscsiadm does not look",
	  "sgw-init apply PORTAL makes it anew", ISCSIADM_HARMLESS },
	{ 22, "ISCSI_ERR_SYSFS_LOOKUP", "something is missing in sysfs or in the record",
	  "the record has the target's secret alone (username_in, password_in): the host's is "
	  "needed as well",
	  "sgw-init apply --chap FILE writes both", ISCSIADM_NEVER },
	{ 23, "ISCSI_ERR_HOST_NOT_FOUND", "the kernel lost the session's SCSI host", NULL,
	  "look at dmesg", ISCSIADM_LOOK },
	{ 24, "ISCSI_ERR_LOGIN_AUTH_FAILED", "the target refused this host",
	  "it wants CHAP and has another secret (SecretToAuthenticateInitiator) or another "
	  "initiator name for this host, or it serves another initiator",
	  "sgw-init probe PORTAL --target IQN tells which; sgw-init apply --chap FILE writes the "
	  "gateway's credentials into the record",
	  ISCSIADM_NEVER },
	{ 25, "ISCSI_ERR_ISNS_QUERY", "the iSNS query failed", NULL, NEXT_LOG, ISCSIADM_LOOK },
	{ 26, "ISCSI_ERR_ISNS_REG_FAILED", "the iSNS registration failed", NULL, NEXT_LOG,
	  ISCSIADM_LOOK },
	{ 27, "ISCSI_ERR_OP_NOT_SUPP", "the kernel or the transport does not support this", NULL,
	  NEXT_LOG, ISCSIADM_NEVER },
	{ 28, "ISCSI_ERR_BUSY", "a device of the session is in use",
	  "iscsid.safe_logout is set and something is mounted", "sgw-init devices says by whom",
	  ISCSIADM_NEVER },
	{ 29, "ISCSI_ERR_AGAIN", "not now", "iscsid is at work on the same session",
	  "try again in a moment", ISCSIADM_RETRY },
	{ 30, "ISCSI_ERR_UNKNOWN_DISCOVERY_TYPE", "it does not know this kind of discovery", NULL,
	  NEXT_LOG, ISCSIADM_NEVER },
	{ 31, "ISCSI_ERR_CHILD_TERMINATED", "a part of it was killed",
	  "memory ran out, or somebody ended it", "try again", ISCSIADM_RETRY },
	{ 32, "ISCSI_ERR_SESSION_NOT_CONNECTED", "the session has no connection just now",
	  "the gateway is away, and iscsid tries to reach it", NEXT_REACH, ISCSIADM_LOOK },
	{ 33, "ISCSI_ERR_REQ_TIMEDOUT", "iscsid did not answer in time",
	  "it is busy with a portal that does not answer", "try again in a moment",
	  ISCSIADM_RETRY },
};

static const struct iscsiadm_code unknown = {
	-1,   "unknown", "it failed with a code that iscsiadm(8) does not list",
	NULL, NEXT_LOG,	 ISCSIADM_LOOK,
};

const struct iscsiadm_code *iscsiadm_code(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (codes[i].code == code)
			return &codes[i];
	}
	return &unknown;
}

struct iscsiadm_target iscsiadm_of(const struct record *record)
{
	return (struct iscsiadm_target){
		.target = record->target,
		.address = record->address,
		.port = record->port,
		.tag = record->tag,
		.interface = record->interface,
	};
}

/* "10.0.0.1:3260,1": iscsiadm finds the record of a portal group by its tag. */
static void portal_argument(const struct iscsiadm_target *target, char *out, size_t size)
{
	char portal[PORTAL_TEXT_MAX];

	portal_text_of(target->address, target->port, portal);
	if (target->tag >= 0)
		snprintf(out, size, "%s,%d", portal, target->tag);
	else
		snprintf(out, size, "%s", portal);
}

/* The socket that iscsiadm speaks to; 00010000 among the flags is a listener's. */
#define SOCKET_NAME "@ISCSIADM_ABSTRACT_NAMESPACE"

static bool is_listener(const char *line)
{
	unsigned flags = 0;

	/* Num RefCount Protocol Flags Type St Inode Path: /proc/net/unix, proc(5) */
	return sscanf(line, "%*s %*s %*s %x", &flags) == 1 && (flags & 0x10000);
}

static bool listens(const struct buf *sockets)
{
	const char *line = buf_text(sockets);

	while (*line) {
		size_t len = strcspn(line, "\n");
		const size_t name = strlen(SOCKET_NAME);

		/* Some kernels show the unused rest of the address as more of them. */
		if (len > name && memmem(line, len, " " SOCKET_NAME, name + 1) && is_listener(line))
			return true;
		line += len + (line[len] == '\n');
	}
	return false;
}

int iscsiadm_ready(const struct paths *paths, struct err *err)
{
	enum { SOCKETS_MAX = 64 << 20 };
	CLEANUP(buf_done) struct buf sockets = { 0 };
	int rc = paths_read(paths, "/proc/net/unix", SOCKETS_MAX, &sockets, NULL, err);

	if (rc < 0)
		return rc;
	if (listens(&sockets))
		return 0;
	return err_set(err, ECONNREFUSED,
		       "iscsid does not run, and iscsiadm would go by its built-in defaults: start "
		       "it with: %s",
		       service_start(paths, SERVICE_ISCSID));
}

/*
 * PORTAL and IQN of a row's text, as they are here and a shell takes them: a
 * name may hold a ';'.
 */
static void fill_in(struct buf *out, const char *text, const struct iscsiadm_target *target)
{
	char portal[PORTAL_TEXT_MAX];

	portal_text_of(target->address, target->port, portal);
	while (*text) {
		size_t plain = strcspn(text, "IP");

		buf_add(out, text, plain);
		text += plain;
		if (strncmp(text, "PORTAL", strlen("PORTAL")) == 0) {
			quote_word(out, portal);
			text += strlen("PORTAL");
		} else if (strncmp(text, "IQN", strlen("IQN")) == 0) {
			quote_word(out, target->target);
			text += strlen("IQN");
		} else if (*text) {
			buf_add(out, text++, 1);
		}
	}
}

/* Of words, cause, iscsiadm's own line and what to do next, those that there are. */
static int explain(const struct iscsiadm_code *row, int code, const struct program_result *result,
		   const struct iscsiadm_target *target, struct err *err)
{
	static const int errnos[] = {
		[ISCSIADM_HARMLESS] = ENOENT,
		[ISCSIADM_RETRY] = EAGAIN,
		[ISCSIADM_NEVER] = EACCES,
		[ISCSIADM_LOOK] = EIO,
	};
	CLEANUP(buf_done) struct buf text = { 0 };
	char line[200] = "";

	if (!row->cause)
		program_last_line(&result->errors, line, sizeof(line));
	buf_adds(&text, row->words);
	if (row->cause)
		buf_addf(&text, ": %s", row->cause);
	if (line[0] != '\0')
		buf_addf(&text, " (it says \"%s\")", line);
	if (row->next) {
		buf_adds(&text, "; ");
		fill_in(&text, row->next, target);
	}
	return err_set(err, errnos[row->advice], "%s [iscsiadm: %d %s]", buf_text(&text), code,
		       row->name);
}

#define GOES_ON "iscsid may go on with it by itself: sgw-init devices shows what became of it"

/* already: the code that says that it is so by now. */
static int run(const struct paths *paths, const struct iscsiadm_target *target, const char *action,
	       unsigned deadline_ms, int already, struct err *err)
{
	struct program_result result = { 0 };
	char portal[PORTAL_TEXT_MAX + 16];
	const bool bound = target->interface && target->interface[0] != '\0';
	const char *const argv[] = { "iscsiadm",
				     "-m",
				     "node",
				     "-T",
				     target->target,
				     "-p",
				     portal,
				     action,
				     bound ? "-I" : NULL,
				     target->interface,
				     NULL };
	const struct iscsiadm_code *row;
	int rc;

	portal_argument(target, portal, sizeof(portal));
	rc = program_run(paths, argv, deadline_ms, &result, err);
	if (rc == -ENOENT)
		err_add_command(err, "; ",
				"install open-iscsi (Debian) or iscsi-initiator-utils (RHEL)");
	row = iscsiadm_code(result.code);
	if (rc == 0 && result.late)
		rc = err_set(err, ETIMEDOUT,
			     "iscsiadm did not end within %u s and was stopped; " GOES_ON,
			     deadline_ms / 1000);
	else if (rc == 0 && result.signal != 0)
		rc = err_set(err, EINTR, "iscsiadm was ended by signal %d; " GOES_ON,
			     result.signal);
	else if (rc == 0 && result.code != 0 && result.code != already)
		rc = explain(row, result.code, &result, target, err);
	else if (rc == 0)
		rc = result.code != 0;
	program_result_done(&result);
	return rc;
}

int iscsiadm_login(const struct paths *paths, const struct iscsiadm_target *target,
		   unsigned deadline_ms, struct err *err)
{
	return run(paths, target, "--login", deadline_ms, SESSION_EXISTS, err);
}

int iscsiadm_logout(const struct paths *paths, const struct iscsiadm_target *target,
		    unsigned deadline_ms, struct err *err)
{
	return run(paths, target, "--logout", deadline_ms, NOTHING_FOUND, err);
}
