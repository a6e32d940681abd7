/* SPDX-License-Identifier: MIT */
/*
 * player.h - a worker that does what a play says, in place of the daemon's own
 *
 * The monitor starts its workers from the running binary, which is the test program here: executed
 * anew with --role=front it is the front that the play has. What the play does not say is done as a
 * worker should that has nothing to do.
 */
#pragma once

#include <glib.h>

#include "protocol/message.h"
#include "protocol/wire.h"

#define PLAYER_UID 800000 /* of the client of a front that plays number 0; and so on */

typedef struct {
	const char *name;
	PvsRole role;		       /* who plays; all others are good */
	void (*load)(void);	       /* instead of saying READY; may be NULL */
	gboolean (*hear)(guint32 type, /* a message came; FALSE: nothing special to do */
			 PvsReader body, const int *fds);
} Play;

/* To be called first in main(): does not return where the program is a worker. Which of the @n
 * plays it has, START says, with what is MaxHostKeys= in the configuration for trust and fronts and
 * Calls= for the vault: 1 is the first. A front is told by the uid of its client, too. */
void player_main(int argc, char **argv, const Play *plays, guint n);

/* For plays. FALSE: the channel was cut. */
gboolean player_say(PvsMessageType type, gconstpointer body, gsize size);
gboolean player_say_u32(PvsMessageType type, guint32 value);
gboolean player_send(const guint8 *bytes, gsize size, int passed);
void player_wait_for_the_end(void) G_GNUC_NORETURN; /* reads nothing */
void player_die(void) G_GNUC_NORETURN;
void player_good(guint32 type); /* what a good worker answers to that */
