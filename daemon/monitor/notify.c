/* SPDX-License-Identifier: MIT */
/*
 * notify.c - what systemd is told (sd_notify(3))
 */
#include "daemon/monitor/notify.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int notify_fd = -1;

void pvs_notify_open(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = g_getenv("NOTIFY_SOCKET");
	gsize size = path ? strlen(path) : 0;

	if (size < 2 || size >= sizeof address.sun_path || (*path != '/' && *path != '@'))
		return;
	memcpy(address.sun_path, path, size);
	if (*path == '@')
		address.sun_path[0] = '\0'; /* an abstract one */
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (notify_fd < 0)
		return;
	if (connect(notify_fd, (const struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)) < 0) {
		close(notify_fd);
		notify_fd = -1;
	}
}

void pvs_notify(const char *state)
{
	ssize_t ignored;

	if (notify_fd < 0)
		return;
	ignored = send(notify_fd, state, strlen(state), MSG_NOSIGNAL);
	(void)ignored; /* systemd will notice that it was not told */
}
