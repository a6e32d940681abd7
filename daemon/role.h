/* SPDX-License-Identifier: MIT */
/*
 * role.h - the life of a worker process
 *
 * Every worker's main is the same short list: give up what is not needed from the start, take the
 * channel to the monitor (descriptor 3), wait for START, load what the role needs, put on the cage,
 * look at what was loaded from others, say READY, loop.
 */
#pragma once

#include "daemon/channel.h"
#include "protocol/bodies.h"

#define PVS_CHANNEL_FD 3 /* of a worker: its channel to the monitor */

/* One role. All functions run in the worker alone. */
typedef struct {
	PvsRole role;

	/* Reads START's body and loads: files, keys, a first use of everything that is lazy.
	 * Whatever is wrong goes back to the monitor as FAILED (PVS_ERROR_CONFIG: the owner's
	 * mistake). */
	gboolean (*load)(PvsReader *start, GError **error);

	/* Called behind the cage and before READY: looks at what load() read from files that others
	 * than the owner may have written. Errors as load()'s; may be NULL. */
	gboolean (*settle)(GError **error);

	/* Called with the channel to the monitor before the cage is on; sets up what the loop
	 * serves. */
	void (*serve)(PvsChannel *monitor);

	/* Called when the loop has ended, before the process does; may be NULL. */
	void (*stop)(void);

	/* What the monitor may say; ends with a row of type 0. PING is answered by the loop itself.
	 */
	const PvsHandlerRow *monitor_rows;

	gsize locked_size; /* bytes of the arena; 0: none */
} PvsRoleRow;

extern const PvsRoleRow pvs_role_front, pvs_role_trust, pvs_role_vault;

/* Runs a worker to its end; returns the process's exit status. */
int pvs_role_main(const PvsRoleRow *row);

/* For trust and the vault, of a front whose channel they close: says in the log what it did ("sent
 * ..."), and to the monitor that the front has to end. Whoever took it over would not end it. */
void pvs_role_accuse(const PvsAddFront *front, const char *what);

/* For trust and the vault: answers the question @call of @front, on its @channel; @body NULL: an
 * empty one, or by its @fields. One that leaves more than 16 MiB of answers unread is accused and
 * its channel closed. The monitor is told of the first answer that a client gets his own by, and
 * takes a death after it for none of a process that is of no use to anybody. */
void pvs_role_answer(PvsChannel *channel, const PvsAddFront *front, PvsMessageType type,
		     guint64 call, const PvsWriter *body);
void pvs_role_answer_body(PvsChannel *channel, const PvsAddFront *front, PvsMessageType type,
			  guint64 call, const PvsField *fields, gconstpointer body);

/* Ends the loop of pvs_role_main(); the status is that of the first call. */
void pvs_role_quit(int status);
