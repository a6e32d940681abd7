/* SPDX-License-Identifier: MIT */
/*
 * worker.h - one child process of the monitor
 *
 * The child is the daemon's own binary, executed anew from a descriptor that was opened at start
 * (an upgrade of the package never mixes versions), with its channel to the monitor on descriptor
 * 3, the log on 2, /dev/null on 0 and 1, an empty environment and nothing else.
 */
#pragma once

#include <sys/types.h>

#include "daemon/channel.h"
#include "protocol/body.h"

typedef struct PvsWorker PvsWorker;

/* What becomes of a worker. A worker is freed by its owner after died(), not before. */
typedef struct {
	/* It loaded and waits for work. */
	void (*ready)(PvsWorker *worker, gpointer user);
	/* It could not load: @text has a line for each thing that is wrong, with the owner's files
	 * (@config) or with the system. It ends by itself. */
	void (*failed)(PvsWorker *worker, const char *text, gboolean config, gpointer user);
	/* It ended; @status as of waitpid(2). Called once. */
	void (*died)(PvsWorker *worker, int status, gpointer user);
	/* Further messages that it may send to the monitor; ends with a row of type 0; may be NULL.
	 * The handlers' last argument is the PvsWorker. */
	const PvsHandlerRow *rows;
} PvsWorkerEvents;

/* Opens the running binary, once, before the first worker is started; returns its descriptor, which
 * stays open, or -1. */
int pvs_worker_init(GError **error);

/* Starts a worker and sends START with @start as its body. */
PvsWorker *pvs_worker_new(PvsRole role, const PvsField *fields, gconstpointer start,
			  const PvsWorkerEvents *events, gpointer user, GError **error);
void pvs_worker_free(PvsWorker *worker); /* its process must have died */

gpointer pvs_worker_user(const PvsWorker *worker); /* as given to pvs_worker_new() */
PvsRole pvs_worker_role(const PvsWorker *worker);
pid_t pvs_worker_pid(const PvsWorker *worker);
gint64 pvs_worker_started(const PvsWorker *worker); /* g_get_monotonic_time () */
gboolean pvs_worker_is_ready(const PvsWorker *worker);
gboolean pvs_worker_failed(const PvsWorker *worker); /* it said FAILED */
gboolean pvs_worker_pinged(const PvsWorker *worker); /* and has not answered yet */

/* FALSE as pvs_channel_send(). */
gboolean pvs_worker_send(PvsWorker *worker, PvsMessageType type, const PvsField *fields,
			 gconstpointer body, const int *fds);
/* As above, as the answer to @call. */
void pvs_worker_answer(PvsWorker *worker, PvsMessageType type, guint64 call, const PvsField *fields,
		       gconstpointer body);

/* Handles at once what it has said up to now. Not from within a handler of its messages. */
void pvs_worker_hear(PvsWorker *worker);

/* Closes the channel: the worker ends by itself once it sees that. */
void pvs_worker_stop(PvsWorker *worker);

/* SIGKILL, for one that broke the rules or does not answer. */
void pvs_worker_kill(PvsWorker *worker);

/* The same with a line in the log, and nothing it says is heard any more. @what it did, for the
 * log: "sent ...". */
void pvs_worker_condemn(PvsWorker *worker, const char *what);

/* What it was sent and has not read, and the socket does not hold: bytes, and descriptors. */
gsize pvs_worker_unread(const PvsWorker *worker, guint *fds);

/* How a process ended, for the log: "exit status 70", "SIGSEGV", "SIGSEGV, core dumped". @status as
 * of waitpid(2). */
char *pvs_worker_end(int status);

/* After SIGCHLD: collects every child that ended and calls died() of its worker. */
void pvs_worker_reap(void);

/* Asks every ready worker for a sign of life; TRUE if all answered the last time, fronts aside.
 * Kills those that owed it at two calls in a row, or did not end though they were told to before,
 * and those that have been loading for more than a minute. */
gboolean pvs_worker_ping_all(void);

/* Calls @each for every worker there is. */
void pvs_worker_foreach(void (*each)(PvsWorker *worker, gpointer user), gpointer user);
