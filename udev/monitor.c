/* SPDX-License-Identifier: MIT */
#include "udev/monitor.h"

#include <errno.h>
#include <libudev.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "buf.h"
#include "err.h"
#include "os/loop.h"

enum { EVENTS_SIZE = 1 << 20 }; /* bytes of events that may wait: eleven tapes come at once */

struct monitor {
	struct udev *udev;
	struct udev_monitor *events;
	bool runs; /* udevd does */
	uint64_t opened_at; /* microseconds of loop_clock_us() */
};

/*
 * By a connection that ends before a word. It must not block: one that is
 * stopped takes none, and its queue may be full (EAGAIN).
 */
bool monitor_udevd_runs(void)
{
	const struct sockaddr_un control = { AF_UNIX, "/run/udev/control" };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = errno;

	if (fd >= 0) {
		error = connect(fd, (const struct sockaddr *)&control, sizeof(control)) < 0 ? errno
											    : 0;
		close(fd);
	}
	/* By anything else, as EACCES, it is there, whoever listens. */
	return error != ENOENT && error != ECONNREFUSED;
}

static int subscribe(struct monitor *monitor, struct err *err)
{
	static const char *const subsystems[] = { "scsi", "block", "scsi_tape", "scsi_changer",
						  "scsi_generic" };
	int rc;

	monitor->udev = udev_new();
	if (!monitor->udev)
		return err_oom(err);
	monitor->events = udev_monitor_new_from_netlink(monitor->udev, "udev");
	if (!monitor->events)
		return err_sys(err, errno ? errno : ENOSYS, "udev's events cannot be heard");
	for (size_t i = 0; i < ARRAY_LEN(subsystems); i++) {
		rc = udev_monitor_filter_add_match_subsystem_devtype(monitor->events, subsystems[i],
								     NULL);
		if (rc < 0)
			return err_sys(err, -rc, "udev's events cannot be filtered");
	}
	/* Not allowed to every user; the default will mostly do. */
	(void)udev_monitor_set_receive_buffer_size(monitor->events, EVENTS_SIZE);
	rc = udev_monitor_enable_receiving(monitor->events);
	return rc < 0 ? err_sys(err, -rc, "udev's events cannot be heard") : 0;
}

int monitor_open(struct monitor **monitor, struct err *err)
{
	struct monitor *made = calloc(1, sizeof(*made));
	int rc;

	*monitor = NULL;
	if (!made)
		return err_oom(err);
	made->runs = monitor_udevd_runs();
	made->opened_at = loop_clock_us();
	rc = subscribe(made, err);
	if (rc < 0)
		monitor_close(made);
	else
		*monitor = made;
	return rc;
}

void monitor_close(struct monitor *monitor)
{
	if (!monitor)
		return;
	udev_monitor_unref(monitor->events);
	udev_unref(monitor->udev);
	free(monitor);
}

bool monitor_wait(struct monitor *monitor, unsigned ms)
{
	struct pollfd fd = { .fd = udev_monitor_get_fd(monitor->events), .events = POLLIN };
	struct udev_device *device;

	if (poll(&fd, 1, (int)ms) <= 0)
		return false;
	/* All that wait, since whoever is told looks at everything. */
	while ((device = udev_monitor_receive_device(monitor->events)))
		udev_device_unref(device);
	return true;
}

bool monitor_is_through(struct monitor *monitor, const char *path, bool is_new)
{
	struct udev_device *device;
	bool through;

	if (!monitor->runs)
		return true;
	device = udev_device_new_from_syspath(monitor->udev, path);
	through = device && udev_device_get_is_initialized(device) > 0;
	/* Else it is the former device of that number, which udevd has yet to forget. */
	if (through && is_new)
		through = udev_device_get_usec_since_initialized(device) <=
			  loop_clock_us() - monitor->opened_at;
	udev_device_unref(device);
	return through;
}
