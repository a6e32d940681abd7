/* SPDX-License-Identifier: MIT */
/*
 * listener.c - the socket that clients connect to
 */
#include "daemon/monitor/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/log.h"
#include "protocol/error.h"

enum {
	TURN = 16,		      /* connections accepted in one turn of the main loop */
	REST = 50,		      /* milliseconds, where descriptors or memory ran out */
	LOG_PAUSE = 60 * 1000 * 1000, /* microseconds between two lines about that */
};

static int listening = -1;
static char *made; /* the path that pvs_listener_open() made */
static guint source;
static guint rest;
static PvsAccepted accepted;

static gboolean failed(GError **error, const char *what)
{
	g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "%s: %s", what, g_strerror(errno));
	return FALSE;
}

static gboolean from_systemd(GError **error)
{
	int n = sd_listen_fds(1);

	if (n == 0) {
		g_set_error(error, PVS_ERROR, PVS_ERROR_CONFIG,
			    "no socket: start pvsecretd by its socket unit (systemctl start "
			    "pvsecretd.socket), or by hand with --socket PATH");
		return FALSE;
	}
	if (n != 1 || sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) <= 0) {
		g_set_error(error, PVS_ERROR, PVS_ERROR_CONFIG,
			    "the socket unit passed %d sockets: it must be one, with one "
			    "ListenStream= that is a path",
			    n);
		return FALSE;
	}
	/* Away from the descriptors that a worker gets its channel on. */
	listening = fcntl(SD_LISTEN_FDS_START, F_DUPFD_CLOEXEC, 10);
	if (listening < 0)
		return failed(error, "cannot keep the socket");
	close(SD_LISTEN_FDS_START);
	return TRUE;
}

/* TRUE if nobody listens at @address any more. */
static gboolean is_stale(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	gboolean stale;

	if (fd < 0)
		return FALSE;
	stale = connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 &&
		errno == ECONNREFUSED;
	close(fd);
	return stale;
}

/* What to do where a socket cannot be made at a path. */
static gboolean not_there(GError **error, const char *path, int err)
{
	static const struct {
		int err;
		const char *remedy;
	} remedies[] = {
		{EADDRINUSE,
		 "another daemon listens there, or it is another's file: choose another "
		 "path"},
		{ENOENT, "make the directory that it shall be in"},
		{ENOTDIR, "choose a path in a directory"},
		{EACCES, "choose a directory that the daemon's user may write to"},
		{EROFS, "choose a directory that is not mounted read-only"},
	};
	const char *remedy = "choose another path";

	for (gsize i = 0; i < G_N_ELEMENTS(remedies); i++)
		if (remedies[i].err == err)
			remedy = remedies[i].remedy;
	g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "%s: no socket can be made there (%s); %s",
		    path, g_strerror(err), remedy);
	return FALSE;
}

static gboolean from_path(const char *path, GError **error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st;
	mode_t mask;
	int result, err;

	if (strlen(path) >= sizeof address.sun_path) {
		g_set_error(error, PVS_ERROR, PVS_ERROR_CONFIG,
			    "%s: the path of a socket has at most %zu bytes", path,
			    sizeof address.sun_path - 1);
		return FALSE;
	}
	strcpy(address.sun_path, path);
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && is_stale(&address))
		unlink(path);

	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listening < 0)
		return failed(error, "cannot make a socket");
	mask = umask(0117); /* 0660 from the first moment on */
	result = bind(listening, (const struct sockaddr *)&address, sizeof address);
	err = errno;
	umask(mask);
	if (result < 0)
		return not_there(error, path, err);
	made = g_strdup(path);
	if (listen(listening, SOMAXCONN) < 0)
		return failed(error, path);
	return TRUE;
}

gboolean pvs_listener_open(const char *path, GError **error)
{
	int flags;

	if (!(path ? from_path(path, error) : from_systemd(error)))
		return FALSE;
	flags = fcntl(listening, F_GETFL);
	if (flags < 0 || fcntl(listening, F_SETFL, flags | O_NONBLOCK) < 0)
		return failed(error, "cannot set the socket to O_NONBLOCK");
	return TRUE;
}

static gboolean on_connection(gint fd, GIOCondition condition, gpointer data);

static void resume(void)
{
	source = g_unix_fd_add(listening, G_IO_IN, on_connection, NULL);
}

static gboolean on_rested(gpointer data G_GNUC_UNUSED)
{
	rest = 0;
	resume();
	return G_SOURCE_REMOVE;
}

static gboolean on_connection(gint fd, GIOCondition condition G_GNUC_UNUSED,
			      gpointer data G_GNUC_UNUSED)
{
	static gint64 last;
	gint64 now;

	for (guint i = 0; i < TURN; i++) {
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (client >= 0) {
			accepted(client);
			if (!source)
				return G_SOURCE_REMOVE;
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return G_SOURCE_CONTINUE;
		/* The client gave up between its connect() and now: not ours to mind. */
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		now = g_get_monotonic_time();
		if (!last || now - last > LOG_PAUSE)
			pvs_error("cannot accept a connection, trying again: %s",
				  g_strerror(errno));
		last = last && now - last <= LOG_PAUSE ? last : now;
		source = 0;
		rest = g_timeout_add(REST, on_rested, NULL);
		return G_SOURCE_REMOVE;
	}
	return G_SOURCE_CONTINUE;
}

void pvs_listener_start(PvsAccepted callback)
{
	accepted = callback;
	if (!source && !rest)
		resume();
}

void pvs_listener_stop(void)
{
	g_clear_handle_id(&source, g_source_remove);
	g_clear_handle_id(&rest, g_source_remove);
}

void pvs_listener_close(void)
{
	pvs_listener_stop();
	if (made)
		unlink(made);
	g_clear_pointer(&made, g_free);
	if (listening >= 0)
		close(listening);
	listening = -1;
}
