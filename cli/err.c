/* SPDX-License-Identifier: MIT */
#include "err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "os/error_text.h"

int err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(err->reason, sizeof(err->reason), fmt, args);
	va_end(args);
	err->place[0] = '\0';
	err->code = code;
	return -code;
}

int err_sys(struct err *err, int code, const char *fmt, ...)
{
	va_list args;
	size_t used;

	va_start(args, fmt);
	vsnprintf(err->reason, sizeof(err->reason), fmt, args);
	va_end(args);
	used = strlen(err->reason);
	snprintf(err->reason + used, sizeof(err->reason) - used, ": %s", error_text(code));
	err->place[0] = '\0';
	err->code = code;
	return -code;
}

int err_oom(struct err *err)
{
	return err_set(err, ENOMEM, "out of memory");
}

int err_at(struct err *err, const char *fmt, ...)
{
	va_list args;

	if (err->place[0] == '\0') {
		va_start(args, fmt);
		vsnprintf(err->place, sizeof(err->place), fmt, args);
		va_end(args);
	}
	return -err->code;
}

bool err_add_command(struct err *err, const char *lead, const char *command)
{
	const size_t used = strlen(err->reason), more = strlen(lead) + strlen(command);

	if (used + more >= sizeof(err->reason))
		return false;
	snprintf(err->reason + used, sizeof(err->reason) - used, "%s%s", lead, command);
	return true;
}

void err_print(const char *program, const struct err *err)
{
	char place[4 * ERR_PLACE_MAX], reason[4 * ERR_REASON_MAX];

	escape_text(err->place, strlen(err->place), place, sizeof(place));
	escape_text(err->reason, strlen(err->reason), reason, sizeof(reason));
	if (place[0] != '\0')
		fprintf(stderr, "%s: %s: %s\n", program, place, reason);
	else
		fprintf(stderr, "%s: %s\n", program, reason);
}
