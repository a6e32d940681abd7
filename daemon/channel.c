/* SPDX-License-Identifier: MIT */
/*
 * channel.c - one end of a stream socket between two processes of the daemon
 */
#include "daemon/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/locked.h"
#include "protocol/error.h"

/* What the monitor said is handled before anything that somebody else said later. That matters:
 * trust may speak to the vault of a front that the monitor has just told both of, and the two
 * messages come on different sockets. So the monitor's channel goes first, and every other one
 * reads a single message in a turn of the main loop: when that was there at the turn's start, so
 * was what the monitor sent before it. */
#define PRIORITY(peer) ((peer) == PVS_ROLE_MONITOR ? G_PRIORITY_HIGH : G_PRIORITY_DEFAULT)
/* The monitor itself waits for nobody's order, and who connects often is not to be taken for
 * somebody who has many connections, because the ends of the former ones were not read yet: it
 * reads more of them in a turn than it accepts. */
#define TURN(self, peer) ((self) == PVS_ROLE_MONITOR || (peer) == PVS_ROLE_MONITOR ? 32u : 1u)

/* Messages that are read at one go of a peer that has ended. One that was taken over may have given
 * its end to somebody who goes on sending. */
enum { DRAINED_MAX = 1024 };

enum {
	PATIENCE_MS = 3000,  /* a sibling sends a message with a secret at one go */
	LOOK_AGAIN_MS = 200, /* at the latest */
};

/* A frame under way inwards. Header and body are read by their exact sizes, never more: what
 * belongs to the next message stays in the socket, and so do its descriptors. */
typedef struct {
	guint8 header[PVS_FRAME_HEADER];
	gsize got;    /* of header and body */
	gint64 since; /* when the body was looked for first and left in the socket; 0: never */
	PvsMessageType type;
	guint64 call;
	guint8 *body;
	gsize size;
	gboolean locked;
	int fds[PVS_MESSAGE_MAX_FDS];
	guint n_fds;
} Frame;

/* What is waited for; the last is the end of what the peer sends, also behind what is not read. */
#define INWARDS ((GIOCondition)(G_IO_IN | G_IO_HUP | G_IO_ERR | POLLRDHUP))

/* What the socket did not take at once. */
typedef struct {
	guint8 *data;
	gsize size;
	gsize sent;
	gboolean locked;
	int fds[PVS_MESSAGE_MAX_FDS]; /* of a frame of which nothing was sent yet */
	guint n_fds;
} Chunk;

struct PvsChannel {
	int fd;
	PvsRole self;
	PvsRole peer;
	const PvsHandlerRow *rows;
	PvsClosed closed;
	gpointer user;
	guint in_source;
	guint out_source;
	guint closed_source;
	gboolean paused;
	gboolean dead;	 /* reads nothing, sends nothing; closed() is on its way or was called */
	gboolean broken; /* the peer broke the rules */
	Frame in;
	GQueue out; /* of Chunk */
	gsize pending;
	guint pending_fds;
};

static void wipe_free(guint8 *memory, gsize size, gboolean locked)
{
	if (!memory)
		return;
	if (locked) {
		pvs_locked_free(memory);
	} else {
		explicit_bzero(memory, size);
		g_free(memory);
	}
}

static void close_fds(int *fds, guint n)
{
	for (guint i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void frame_reset(Frame *frame)
{
	wipe_free(frame->body, frame->size, frame->locked);
	close_fds(frame->fds, frame->n_fds);
	*frame = (Frame){.fds = {-1, -1}};
}

static void chunk_free(gpointer data)
{
	Chunk *chunk = data;

	wipe_free(chunk->data, chunk->size, chunk->locked);
	close_fds(chunk->fds, chunk->n_fds);
	g_free(chunk);
}

static void drop_queue(PvsChannel *channel)
{
	g_queue_clear_full(&channel->out, chunk_free);
	channel->pending = 0;
	channel->pending_fds = 0;
}

static gboolean on_closed(gpointer data)
{
	PvsChannel *channel = data;

	channel->closed_source = 0;
	channel->closed(channel, channel->broken, channel->user);
	return G_SOURCE_REMOVE;
}

static void die(PvsChannel *channel, gboolean broken)
{
	if (channel->dead)
		return;
	channel->dead = TRUE;
	channel->broken = broken;
	g_clear_handle_id(&channel->in_source, g_source_remove);
	g_clear_handle_id(&channel->out_source, g_source_remove);
	drop_queue(channel);
	/* Not from here: the caller may be in the midst of a call of the owner's. */
	channel->closed_source = g_idle_add_full(G_PRIORITY_DEFAULT, on_closed, channel, NULL);
}

typedef enum {
	GOT_ALL,
	GOT_NOTHING_YET,
	GOT_HALF, /* and left it in the socket */
	GOT_NO_ROOM,
	GOT_END,
	GOT_RUBBISH,
} Got;

/* Takes the descriptors that came with the last recvmsg(). More than any message has, or too many
 * for this one: rubbish; all are closed with the frame. */
static gboolean take_fds(Frame *frame, struct msghdr *message)
{
	gboolean good = !(message->msg_flags & MSG_CTRUNC);

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		gsize n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			good = FALSE;
			continue;
		}
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (gsize i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (frame->n_fds < PVS_MESSAGE_MAX_FDS) {
				frame->fds[frame->n_fds++] = fd;
			} else {
				close(fd);
				good = FALSE;
			}
		}
	}
	return good;
}

static Got receive(int fd, Frame *frame, guint8 *to, gsize size, int flags)
{
	union {
		char bytes[CMSG_SPACE(PVS_MESSAGE_MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {.iov_base = to, .iov_len = size};
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes,
	};
	ssize_t n;

	do
		n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | flags);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? GOT_NOTHING_YET : GOT_END;
	if (!take_fds(frame, &message))
		return GOT_RUBBISH;
	if (n == 0)
		return GOT_END;
	if (!(flags & MSG_PEEK))
		frame->got += (gsize)n;
	return (gsize)n == size ? GOT_ALL : GOT_NOTHING_YET;
}

/* The header is whole: is this a message that the peer may send, of a size that it may have? Only
 * then is memory set aside for it; for what may carry a secret not even then (read_locked()). */
static gboolean frame_begin(Frame *frame, PvsRole self, PvsRole peer)
{
	PvsReader r = pvs_reader(frame->header, sizeof frame->header);
	guint32 type, size;

	if (!pvs_reader_u32(&r, &type) || !pvs_reader_u32(&r, &size) ||
	    !pvs_reader_u64(&r, &frame->call))
		return FALSE;
	if (!pvs_message_permitted(type, peer, self) || size > pvs_message_cap(type))
		return FALSE;
	frame->type = type;
	frame->size = size;
	frame->locked = pvs_message_secret(type);
	if (size > 0 && !frame->locked)
		frame->body = g_malloc(size);
	return TRUE;
}

/* A body that may carry a secret takes room in the arena, which all peers share, only while it is
 * read and handled at one go: until it is whole it stays in the socket, and costs the peer's side.
 * So any number of peers that send halves take nothing from the others. */
static Got read_locked(int fd, Frame *frame)
{
	Got got;

	if (frame->n_fds > 0)
		return GOT_RUBBISH;
	frame->body = pvs_locked_alloc(frame->size);
	if (!frame->body)
		return GOT_NO_ROOM;
	got = receive(fd, frame, frame->body, frame->size, MSG_PEEK);
	if (got == GOT_ALL)
		got = receive(fd, frame, frame->body, frame->size, 0);
	if (got == GOT_ALL)
		return GOT_ALL;
	g_clear_pointer(&frame->body, pvs_locked_free);
	return got == GOT_NOTHING_YET ? GOT_HALF : got;
}

/* Reads on at the frame under way. */
static Got frame_read(int fd, PvsRole self, PvsRole peer, Frame *frame)
{
	gsize at;
	Got got;

	if (frame->got < PVS_FRAME_HEADER) {
		got = receive(fd, frame, frame->header + frame->got, PVS_FRAME_HEADER - frame->got,
			      0);
		if (got != GOT_ALL)
			return got;
		if (!frame_begin(frame, self, peer))
			return GOT_RUBBISH;
	}
	at = frame->got - PVS_FRAME_HEADER;
	if (at < frame->size) {
		got = frame->locked ? read_locked(fd, frame)
				    : receive(fd, frame, frame->body + at, frame->size - at, 0);
		if (got != GOT_ALL)
			return got;
	}
	return frame->n_fds == pvs_message_fds(frame->type) ? GOT_ALL : GOT_RUBBISH;
}

static gboolean handle(PvsChannel *channel)
{
	Frame *frame = &channel->in;
	PvsMessage message = {
		.type = frame->type,
		.call = frame->call,
		.body = pvs_reader(frame->body, frame->size),
	};
	const PvsHandlerRow *row = channel->rows;
	gboolean good;

	while (row->type && row->type != frame->type)
		row++;
	/* The list permits it and the owner has no handler: then this channel is not for it. */
	if (!row->type)
		return FALSE;
	for (guint i = 0; i < PVS_MESSAGE_MAX_FDS; i++)
		message.fds[i] = i < frame->n_fds ? frame->fds[i] : -1;
	good = row->handle(channel, &message, channel->user);
	for (guint i = 0; i < frame->n_fds; i++)
		frame->fds[i] = message.fds[i]; /* -1 where the handler took it */
	return good;
}

static void watch(PvsChannel *channel);
static void look_again(PvsChannel *channel, gboolean at_fault);

/* It is read from its own source alone, as every message is (PRIORITY). */
static gboolean on_look_again(gpointer data)
{
	PvsChannel *channel = data;
	GPollFD now = {.fd = channel->fd, .events = G_IO_IN};

	channel->in_source = 0;
	if (g_poll(&now, 1, 0) > 0)
		watch(channel);
	else
		look_again(channel, TRUE);
	return G_SOURCE_REMOVE;
}

/* What is left in the socket would have the main loop turn without a pause: the next look at it is
 * in as long as this has gone on. Without room in the arena that is nobody's fault, and waits for
 * as long as it takes. */
static void look_again(PvsChannel *channel, gboolean at_fault)
{
	gint64 now = g_get_monotonic_time();
	gint64 ms;

	if (!channel->in.since)
		channel->in.since = now;
	ms = (now - channel->in.since) / 1000;
	if (at_fault && ms >= PATIENCE_MS) {
		die(channel, TRUE);
		return;
	}
	g_clear_handle_id(&channel->in_source, g_source_remove);
	channel->in_source =
		g_timeout_add_full(PRIORITY(channel->peer), (guint)CLAMP(ms, 1, LOOK_AGAIN_MS),
				   on_look_again, channel, NULL);
}

/* TRUE if a message was handled; FALSE where there is none yet, or no more. */
static gboolean read_one(PvsChannel *channel)
{
	Got got = frame_read(channel->fd, channel->self, channel->peer, &channel->in);
	gboolean good;

	switch (got) {
	case GOT_ALL:
		good = handle(channel);
		frame_reset(&channel->in);
		if (!good)
			die(channel, TRUE);
		return good;
	case GOT_NOTHING_YET:
		return FALSE;
	case GOT_HALF:
	case GOT_NO_ROOM:
		look_again(channel, got == GOT_HALF);
		return FALSE;
	case GOT_END:
		die(channel, FALSE);
		return FALSE;
	case GOT_RUBBISH:
	default:
		die(channel, TRUE);
		return FALSE;
	}
}

static gboolean on_readable(gint fd G_GNUC_UNUSED, GIOCondition condition, gpointer data)
{
	PvsChannel *channel = data;

	for (guint i = 0; i < TURN(channel->self, channel->peer) && !channel->dead &&
			  !channel->paused && read_one(channel);
	     i++)
		;
	/* Nobody will send the rest. */
	if (channel->in.since && (condition & (INWARDS ^ G_IO_IN)))
		die(channel, FALSE);
	/* die() and pause removed the source already, if they were called. */
	return channel->in_source ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* How many of @size bytes the socket took; -1 where the peer has gone, or with ETOOMANYREFS: as
 * many descriptors are on their way as RLIMIT_NOFILE allows. */
static ssize_t send_some(int fd, const struct iovec *iov, gsize n_iov, const int *fds, guint n_fds)
{
	union {
		char bytes[CMSG_SPACE(PVS_MESSAGE_MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} control = {.bytes = {0}};
	struct msghdr message = {.msg_iov = (struct iovec *)iov, .msg_iovlen = n_iov};
	ssize_t n;

	if (n_fds > 0) {
		struct cmsghdr *c;

		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	do
		n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	return n;
}

/* The peer takes nothing any more. What it sent before may still be read, so the end is left to the
 * reading side. */
static void stop_sending(PvsChannel *channel)
{
	drop_queue(channel);
}

static gboolean on_writable(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
	PvsChannel *channel = data;
	Chunk *chunk;

	while ((chunk = g_queue_peek_head(&channel->out))) {
		struct iovec iov = {.iov_base = chunk->data + chunk->sent,
				    .iov_len = chunk->size - chunk->sent};
		ssize_t n = send_some(fd, &iov, 1, chunk->fds, chunk->n_fds);

		if (n == 0 || (n < 0 && errno == ETOOMANYREFS))
			return G_SOURCE_CONTINUE;
		if (n < 0) {
			stop_sending(channel);
			break;
		}
		close_fds(chunk->fds, chunk->n_fds);
		channel->pending_fds -= chunk->n_fds;
		chunk->n_fds = 0;
		chunk->sent += (gsize)n;
		channel->pending -= (gsize)n;
		if (chunk->sent == chunk->size)
			chunk_free(g_queue_pop_head(&channel->out));
	}
	channel->out_source = 0;
	return G_SOURCE_REMOVE;
}

static void watch(PvsChannel *channel)
{
	channel->in_source = g_unix_fd_add_full(PRIORITY(channel->peer), channel->fd, INWARDS,
						on_readable, channel, NULL);
}

PvsChannel *pvs_channel_new(int fd, PvsRole self, PvsRole peer, const PvsHandlerRow *rows,
			    PvsClosed closed, gpointer user)
{
	PvsChannel *channel = g_new0(PvsChannel, 1);

	channel->fd = fd;
	channel->self = self;
	channel->peer = peer;
	channel->rows = rows;
	channel->closed = closed;
	channel->user = user;
	frame_reset(&channel->in);
	g_queue_init(&channel->out);
	watch(channel);
	return channel;
}

void pvs_channel_free(PvsChannel *channel)
{
	if (!channel)
		return;
	g_clear_handle_id(&channel->in_source, g_source_remove);
	g_clear_handle_id(&channel->out_source, g_source_remove);
	g_clear_handle_id(&channel->closed_source, g_source_remove);
	frame_reset(&channel->in);
	g_queue_clear_full(&channel->out, chunk_free);
	close(channel->fd);
	g_free(channel);
}

/* Keeps what was not sent, from byte @sent of header and body on. FALSE if the arena is full. */
static gboolean enqueue(PvsChannel *channel, PvsMessageType type, const guint8 *header,
			const PvsWriter *body, gsize sent, const int *fds, guint n_fds)
{
	gsize body_size = body ? body->size : 0;
	gsize header_left = sent < PVS_FRAME_HEADER ? PVS_FRAME_HEADER - sent : 0;
	gsize body_sent = sent < PVS_FRAME_HEADER ? 0 : sent - PVS_FRAME_HEADER;
	Chunk *chunk = g_new0(Chunk, 1);

	chunk->size = header_left + body_size - body_sent;
	chunk->locked = pvs_message_secret(type);
	chunk->data = chunk->locked ? pvs_locked_alloc(chunk->size) : g_malloc(chunk->size);
	if (!chunk->data) {
		g_free(chunk);
		return FALSE;
	}
	memcpy(chunk->data, header + PVS_FRAME_HEADER - header_left, header_left);
	if (body_size > body_sent)
		memcpy(chunk->data + header_left, body->data + body_sent, body_size - body_sent);
	for (; chunk->n_fds < n_fds; chunk->n_fds++) {
		chunk->fds[chunk->n_fds] = fcntl(fds[chunk->n_fds], F_DUPFD_CLOEXEC, 0);
		if (chunk->fds[chunk->n_fds] < 0) {
			chunk_free(chunk);
			return FALSE;
		}
	}
	g_queue_push_tail(&channel->out, chunk);
	channel->pending += chunk->size;
	channel->pending_fds += chunk->n_fds;
	if (!channel->out_source)
		channel->out_source = g_unix_fd_add(channel->fd, G_IO_OUT, on_writable, channel);
	return TRUE;
}

gboolean pvs_channel_send(PvsChannel *channel, PvsMessageType type, guint64 call,
			  const PvsWriter *body, const int *fds)
{
	guint8 memory[PVS_FRAME_HEADER];
	PvsWriter header = pvs_writer_on(memory, sizeof memory);
	gsize body_size = body ? body->size : 0;
	guint n_fds = pvs_message_fds(type);
	struct iovec iov[2];
	ssize_t sent = 0;

	g_assert(pvs_message_permitted(type, channel->self, channel->peer));
	g_assert(body_size <= pvs_message_cap(type));
	g_assert((n_fds > 0) == (fds != NULL));
	if (channel->dead)
		return TRUE;
	pvs_writer_u32(&header, type);
	pvs_writer_u32(&header, (guint32)body_size);
	pvs_writer_u64(&header, call);

	if (g_queue_is_empty(&channel->out)) {
		iov[0] = (struct iovec){.iov_base = memory, .iov_len = sizeof memory};
		iov[1] = (struct iovec){.iov_base = body_size ? body->data : NULL,
					.iov_len = body_size};
		sent = send_some(channel->fd, iov, body_size ? 2 : 1, fds, n_fds);
		if (sent < 0)
			return errno != ETOOMANYREFS;
		if ((gsize)sent == sizeof memory + body_size)
			return TRUE;
	}
	/* Half a frame cannot be taken back: without room for the rest the channel is lost. */
	if (!enqueue(channel, type, memory, body, (gsize)sent, fds, sent > 0 ? 0 : n_fds))
		die(channel, FALSE);
	return TRUE;
}

void pvs_channel_pause(PvsChannel *channel, gboolean paused)
{
	channel->paused = paused;
	if (channel->dead)
		return;
	if (paused)
		g_clear_handle_id(&channel->in_source, g_source_remove);
	else if (!channel->in_source)
		watch(channel);
}

void pvs_channel_drain(PvsChannel *channel)
{
	for (guint i = 0; i < DRAINED_MAX && !channel->dead && read_one(channel); i++)
		;
}

void pvs_channel_close(PvsChannel *channel)
{
	die(channel, FALSE);
}

gsize pvs_channel_pending(const PvsChannel *channel)
{
	return channel->pending;
}

guint pvs_channel_pending_fds(const PvsChannel *channel)
{
	return channel->pending_fds;
}

gboolean pvs_channel_expect(int fd, PvsRole self, PvsRole peer, PvsMessageType type, GBytes **body,
			    GError **error)
{
	Frame frame = {.fds = {-1, -1}};
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	gboolean good = FALSE;
	Got got;

	g_assert(!pvs_message_secret(type));
	while ((got = frame_read(fd, self, peer, &frame)) == GOT_NOTHING_YET)
		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			break;
	if (got == GOT_ALL && frame.type == type) {
		*body = g_bytes_new(frame.body, frame.size);
		good = TRUE;
	} else {
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "the %s sent no %s",
			    pvs_role_name(peer), pvs_message_name(type));
	}
	frame_reset(&frame);
	return good;
}
