/* SPDX-License-Identifier: MIT */
/*
 * rpc.c - the connection to the daemon
 */
#include "client/rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/failure.h"
#include "client/unreachable.h"

enum { AGAIN_AFTER_US = 100 * 1000 }; /* before the second attempt */

struct PvsRpc {
	char *path;
	gboolean own; /* the daemon's own socket, not one that the user gave */
	guint timeout_ms;
	guint answer_ms;
	gint64 deadline;  /* of the call under way, microseconds */
	gint64 answer_by; /* likewise, of the answer that is awaited */
	int fd;
	PvsScanner *scanner;
	gsize received; /* since the call was sent */
};

typedef enum {
	ASK_ANSWERED,
	ASK_CLOSED, /* before the answer was whole */
	ASK_FAILED,
} AskResult;

PvsRpc *pvs_rpc_new(const char *path, guint timeout_ms, guint answer_ms)
{
	PvsRpc *rpc = g_new0(PvsRpc, 1);

	rpc->own = path == NULL;
	rpc->path = g_strdup(path ? path : PVS_SOCKET_PATH);
	rpc->timeout_ms = timeout_ms;
	rpc->answer_ms = answer_ms;
	rpc->fd = -1;
	return rpc;
}

static void disconnect(PvsRpc *rpc)
{
	if (rpc->fd >= 0)
		close(rpc->fd);
	rpc->fd = -1;
	g_clear_pointer(&rpc->scanner, pvs_scanner_free);
}

void pvs_rpc_free(PvsRpc *rpc)
{
	if (!rpc)
		return;
	disconnect(rpc);
	g_free(rpc->path);
	g_free(rpc);
}

static gint64 milliseconds_left(const PvsRpc *rpc)
{
	return MAX(0, (rpc->answer_by - g_get_monotonic_time()) / 1000);
}

static gboolean timed_out(const PvsRpc *rpc, GError **error)
{
	if (rpc->answer_by < rpc->deadline)
		return pvs_failure(error, PVS_EXIT_UNREACHABLE,
				   "check what listens at the socket: pvsecretd sends an answer in "
				   "one piece",
				   "%s: an answer was begun, and was not whole within %u seconds",
				   rpc->path, rpc->answer_ms / 1000);
	return pvs_failure(error, PVS_EXIT_UNREACHABLE,
			   "journalctl -u pvsecretd says what the daemon is doing; try again later",
			   "%s: no answer within %u seconds", rpc->path, rpc->timeout_ms / 1000);
}

gboolean pvs_rpc_directory_safe(const char *directory, gboolean own, GError **error)
{
	const char *wrong;
	struct stat st;

	if ((own ? lstat(directory, &st) : stat(directory, &st)) < 0)
		return TRUE;
	if (!S_ISDIR(st.st_mode))
		wrong = "is not a directory";
	else if (own && st.st_uid != 0)
		wrong = "does not belong to root";
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		wrong = "belongs neither to root nor to you";
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		wrong = "may be written by others than its owner";
	else
		return TRUE;
	return pvs_failure(error, PVS_EXIT_UNREACHABLE,
			   own ? "have the machine's administrator run systemd-tmpfiles --create "
				 "and systemctl restart pvsecretd.socket"
			       : "have the daemon listen in a directory that root or you alone may "
				 "write to",
			   "%s: %s, so what listens there may not be pvsecretd", directory, wrong);
}

/* The directory of the name that the user gave, and that of the socket, where the one is a link to
 * the other: in neither may anybody have put another. */
static gboolean is_safe(const PvsRpc *rpc, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(rpc->path);
	g_autofree char *target_directory = NULL;
	char *target;

	if (!pvs_rpc_directory_safe(directory, rpc->own, error))
		return FALSE;
	target = rpc->own ? NULL : realpath(rpc->path, NULL);
	if (!target)
		return TRUE;
	target_directory = g_path_get_dirname(target);
	free(target);
	return pvs_rpc_directory_safe(target_directory, rpc->own, error);
}

static gboolean connect_to(PvsRpc *rpc, GError **error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	gint64 left = milliseconds_left(rpc);
	struct timeval patience = {.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
	int err;

	if (strlen(rpc->path) >= sizeof address.sun_path)
		return pvs_failure(error, PVS_EXIT_USAGE, "give a shorter path, for example a link",
				   "--socket %s: is longer than the path of a socket can be",
				   rpc->path);
	if (left == 0)
		return timed_out(rpc, error);
	g_strlcpy(address.sun_path, rpc->path, sizeof address.sun_path);
	if (!is_safe(rpc, error))
		return FALSE;
	rpc->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* How long connect(2) waits while more clients than the backlog takes are waiting. */
	if (rpc->fd < 0 ||
	    setsockopt(rpc->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0)
		return pvs_failure(error, PVS_EXIT_UNREACHABLE,
				   "check the limits of this process: ulimit -a",
				   "no socket can be made: %s", g_strerror(errno));
	while (connect(rpc->fd, (struct sockaddr *)&address, sizeof address) < 0) {
		err = errno;
		if (err == EINTR && milliseconds_left(rpc) > 0)
			continue;
		disconnect(rpc);
		if (err == EAGAIN || err == EINTR)
			return timed_out(rpc, error);
		return pvs_unreachable(error, rpc->path, rpc->own, err, "");
	}
	if (fcntl(rpc->fd, F_SETFL, O_NONBLOCK) < 0)
		g_error("fcntl: %s", g_strerror(errno));
	rpc->scanner = pvs_scanner_new(&pvs_reply_limits);
	return TRUE;
}

static void advance(struct iovec *pieces, guint n, gsize sent)
{
	for (guint i = 0; i < n && sent > 0; i++) {
		gsize part = MIN(sent, pieces[i].iov_len);

		pieces[i].iov_base = (char *)pieces[i].iov_base + part;
		pieces[i].iov_len -= part;
		sent -= part;
	}
}

/* Sends as much as goes. FALSE: nothing more can be sent, though an answer may still come (a daemon
 * that refuses a text for its size says so and closes). */
static gboolean send_some(PvsRpc *rpc, struct iovec *pieces, guint n, gsize *left)
{
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = n};
	ssize_t sent = sendmsg(rpc->fd, &message, MSG_NOSIGNAL);

	if (sent < 0)
		return errno == EAGAIN || errno == EINTR;
	advance(pieces, n, (gsize)sent);
	*left -= (gsize)sent;
	return TRUE;
}

static AskResult not_json(GError **error, const char *wrong)
{
	pvs_failure(error, PVS_EXIT_UNREACHABLE,
		    "check what listens at the socket, and that it is of the version of this "
		    "pvsecretctl: pvsecretctl --version",
		    "the answer is not pvsecretd's: %s", wrong);
	return ASK_FAILED;
}

static gboolean all_white_space(const guint8 *data, gsize size)
{
	for (gsize i = 0; i < size; i++)
		if (data[i] != ' ' && data[i] != '\t' && data[i] != '\r' && data[i] != '\n')
			return FALSE;
	return TRUE;
}

/* Reads what has come. ASK_ANSWERED with *@done FALSE: more is to come. */
static AskResult receive_some(PvsRpc *rpc, GByteArray *text, gboolean *done, GError **error)
{
	guint8 piece[16384];
	ssize_t n = recv(rpc->fd, piece, sizeof piece, 0);
	gsize size, used;
	PvsError row;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return ASK_ANSWERED;
	if (n <= 0)
		return ASK_CLOSED;
	size = (gsize)n;
	if (rpc->received == 0)
		rpc->answer_by =
			MIN(rpc->deadline, g_get_monotonic_time() + (gint64)rpc->answer_ms * 1000);
	/* The scanner limits a text; this limits the white space before it. */
	rpc->received += size;
	if (rpc->received > pvs_reply_limits.size + sizeof piece)
		return not_json(error, "it is larger than 2 MiB");
	switch (pvs_scanner_feed(rpc->scanner, piece, size, &used, &row)) {
	case PVS_SCAN_MORE:
		g_byte_array_append(text, piece, (guint)size);
		return ASK_ANSWERED;
	case PVS_SCAN_TEXT:
		g_byte_array_append(text, piece, (guint)used);
		if (!all_white_space(piece + used, size - used))
			return not_json(error, "something stands behind it");
		*done = TRUE;
		return ASK_ANSWERED;
	case PVS_SCAN_ERROR:
	case PVS_SCAN_FATAL:
		break;
	}
	return not_json(error, pvs_error_sentence(row));
}

/* One try on the connection there is. */
static AskResult ask(PvsRpc *rpc, PvsCall *call, GByteArray *text, GError **error)
{
	struct iovec pieces[PVS_CALL_PIECES];
	guint n = pvs_call_pieces(call, pieces);
	gboolean sending = TRUE;
	gboolean done = FALSE;
	gsize left = 0;

	for (guint i = 0; i < n; i++)
		left += pieces[i].iov_len;
	rpc->received = 0;
	while (!done) {
		struct pollfd poller = {
			.fd = rpc->fd,
			.events = (short)(POLLIN | (sending && left > 0 ? POLLOUT : 0)),
		};
		AskResult result;

		if (milliseconds_left(rpc) == 0) {
			timed_out(rpc, error);
			return ASK_FAILED;
		}
		if (poll(&poller, 1, (int)milliseconds_left(rpc)) < 0 && errno != EINTR)
			g_error("poll: %s", g_strerror(errno));
		if (poller.revents & POLLOUT)
			sending = send_some(rpc, pieces, n, &left);
		if (!(poller.revents & (POLLIN | POLLHUP | POLLERR)))
			continue;
		result = receive_some(rpc, text, &done, error);
		if (result != ASK_ANSWERED)
			return result;
	}
	return ASK_ANSWERED;
}

PvsReply *pvs_rpc_call(PvsRpc *rpc, PvsCall *call, GError **error)
{
	rpc->deadline = g_get_monotonic_time() + (gint64)rpc->timeout_ms * 1000;
	for (guint attempt = 0; attempt < 2; attempt++) {
		g_autoptr(GByteArray) text = g_byte_array_new();
		PvsReply *reply;

		rpc->answer_by = rpc->deadline;
		if (rpc->fd < 0 && !connect_to(rpc, error))
			return NULL;
		switch (ask(rpc, call, text, error)) {
		case ASK_ANSWERED:
			reply = pvs_reply_parse((const char *)text->data, text->len, error);
			if (!reply)
				disconnect(rpc);
			return reply;
		case ASK_FAILED:
			disconnect(rpc);
			return NULL;
		case ASK_CLOSED:
			disconnect(rpc);
			/* Whoever answered before may just be about to be replaced. */
			if (attempt == 0)
				g_usleep(AGAIN_AFTER_US);
			break;
		}
	}
	pvs_failure(error, PVS_EXIT_UNREACHABLE,
		    "journalctl -u pvsecretd says why; too many connections of one user are closed "
		    "at once as well",
		    "%s: the connection was closed without an answer, twice", rpc->path);
	return NULL;
}
