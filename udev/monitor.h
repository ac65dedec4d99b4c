/* SPDX-License-Identifier: MIT */
/*
 * What udevd does, as it does it: the only user of libudev. Of a live host
 * alone; what its devices are is read from sysfs (cli/host).
 */
#ifndef SGW_UDEV_MONITOR_H
#define SGW_UDEV_MONITOR_H

#include <stdbool.h>

struct err;
struct monitor;

/*
 * Whether udevd takes connections, or systemd does for it, which then starts it.
 * The socket of one that was killed stays, and does not count. True where it
 * cannot be told, as without the right to connect.
 */
bool monitor_udevd_runs(void);

/*
 * Listen from here on: before what makes the devices is begun, so that no
 * event is missed. Works where no udevd runs, too; whether one does is asked once.
 */
int monitor_open(struct monitor **monitor, struct err *err);
/* NULL is fine. */
void monitor_close(struct monitor *monitor);

/*
 * Wait until udevd is through with some SCSI device or a node of one, ms at
 * the most. True where it was, or where events were lost: look again.
 */
bool monitor_wait(struct monitor *monitor, unsigned ms);

/*
 * Whether udevd is through with the device of that directory of sysfs: its
 * rules ran and its links stand. Always true where no udevd runs. is_new: it has
 * come since monitor_open(), so that what udevd knows from before is not of it.
 */
bool monitor_is_through(struct monitor *monitor, const char *path, bool is_new);

#endif
