/* SPDX-License-Identifier: MIT */
#include "host/services.h"

#include <stddef.h>

#include "buf.h"
#include "err.h"
#include "host/paths.h"

/* Of a service the first whose file is there; without a file it is for wherever none is. */
static const struct {
	enum service service;
	const char *file, *command;
} ways[] = {
	{ SERVICE_ISCSID, "/usr/lib/systemd/system/iscsid.socket",
	  "systemctl start iscsid.socket" },
	{ SERVICE_ISCSID, "/lib/systemd/system/iscsid.socket", "systemctl start iscsid.socket" },
	{ SERVICE_ISCSID, "/lib/systemd/system/iscsid.service", "systemctl start iscsid.service" },
	{ SERVICE_ISCSID, "/lib/systemd/system/open-iscsi.service",
	  "systemctl start open-iscsi.service" },
	{ SERVICE_ISCSID, "/etc/init.d/iscsid", "/etc/init.d/iscsid start" },
	{ SERVICE_ISCSID, "/etc/init.d/open-iscsi", "/etc/init.d/open-iscsi start" },
	{ SERVICE_ISCSID, NULL, "systemctl start iscsid (Debian: open-iscsi)" },
	{ SERVICE_UDEVD, "/run/systemd/system",
	  "systemctl start systemd-udevd" }, /* sd_booted(3) */
	{ SERVICE_UDEVD, "/etc/init.d/udev", "/etc/init.d/udev start" },
	{ SERVICE_UDEVD, NULL, "systemctl start systemd-udevd (or as this host starts it)" },
};

const char *service_start(const struct paths *paths, enum service service)
{
	struct err ignored = { 0 };
	size_t i = 0;

	while (ways[i].service != service ||
	       (ways[i].file && paths_exists(paths, ways[i].file, &ignored) != 1))
		i++;
	return ways[i].command;
}
