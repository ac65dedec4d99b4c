/* SPDX-License-Identifier: MIT */
/* The services that a live host needs, and what starts them on this distribution. */
#ifndef SGW_SERVICES_H
#define SGW_SERVICES_H

struct paths;

enum service {
	SERVICE_ISCSID,
	SERVICE_UDEVD,
};

/* What to type; by the service manager's files, which are looked for, no program is run. */
const char *service_start(const struct paths *paths, enum service service);

#endif
