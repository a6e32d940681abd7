/* SPDX-License-Identifier: MIT */
/*
 * channel.h - one end of a stream socket between two processes of the daemon
 *
 * Reads whole messages (message.h) in the thread-default main context and hands each to a table of
 * handlers. A message that the row does not permit, that is too long, that brings the wrong number
 * of descriptors or that its handler cannot read whole breaks the channel: it is closed and the
 * owner told. Bodies of messages that may carry a secret stand in locked memory, all are wiped.
 *
 * Of those no two are under way at a time, however many channels there are: such a body is read
 * when all of it is there, and is gone from locked memory before another is begun. What is not
 * whole after three seconds breaks the channel; what there is no room for waits.
 */
#pragma once

#include "protocol/message.h"
#include "protocol/wire.h"

typedef struct PvsChannel PvsChannel;

typedef struct {
	PvsMessageType type;
	guint64 call;
	PvsReader body;
	int fds[PVS_MESSAGE_MAX_FDS]; /* -1 where there is none; closed after the handler unless
					 stolen */
} PvsMessage;

/* FALSE if the message could not be read whole or makes no sense: the sender is broken. The handler
 * may not free the channel (close it with pvs_channel_close()). */
typedef gboolean (*PvsHandler)(PvsChannel *channel, PvsMessage *message, gpointer user);

typedef struct {
	PvsMessageType type;
	PvsHandler handle;
} PvsHandlerRow;

/* Called once, from the main loop and never from within a call on the channel: the peer has gone
 * (@broken FALSE) or broke the rules (@broken TRUE). The channel is dead; the callee may free it.
 */
typedef void (*PvsClosed)(PvsChannel *channel, gboolean broken, gpointer user);

/* Takes @fd, a connected UNIX stream socket. @rows ends with a row of type 0 and must outlive the
 * channel. */
PvsChannel *pvs_channel_new(int fd, PvsRole self, PvsRole peer, const PvsHandlerRow *rows,
			    PvsClosed closed, gpointer user);
void pvs_channel_free(PvsChannel *channel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsChannel, pvs_channel_free)

/* Sends a message: queues what the socket does not take at once. The descriptors (as many as the
 * row says, else NULL) are duplicated. A body longer than the row's cap, or a type that this end
 * may not send, aborts. On a closed channel nothing happens. FALSE: it was not sent, since too many
 * descriptors are on their way; without descriptors that cannot be. */
gboolean pvs_channel_send(PvsChannel *channel, PvsMessageType type, guint64 call,
			  const PvsWriter *body, const int *fds);

/* Stops and resumes reading, so that a busy process is not buried: what is not read stays with the
 * sender. */
void pvs_channel_pause(PvsChannel *channel, gboolean paused);

/* Handles at once what a peer whose process has ended had sent, a bounded number of messages. Not
 * from within a handler. */
void pvs_channel_drain(PvsChannel *channel);

/* Closes at the next turn of the main loop as if the peer had gone. */
void pvs_channel_close(PvsChannel *channel);

/* Bytes queued for sending, and descriptors that are held for that. */
gsize pvs_channel_pending(const PvsChannel *channel);
guint pvs_channel_pending_fds(const PvsChannel *channel);

/* A message for blocking use before the main loop runs: waits for the next message on @fd, which
 * must be of @type from @peer. The body is newly allocated. Only for bodies without a secret. */
gboolean pvs_channel_expect(int fd, PvsRole self, PvsRole peer, PvsMessageType type, GBytes **body,
			    GError **error);
