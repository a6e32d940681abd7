/* SPDX-License-Identifier: MIT */
/*
 * peers.h - questions to the other processes, and their answers
 *
 * A question goes out with a number of its own; the answer that carries it goes to who asked. An
 * answer to nothing that was asked, or of a type that does not fit the question, breaks the
 * channel; where that is trust's or the vault's, the process ends.
 */
#pragma once

#include "daemon/channel.h"

/* @answer is of a type that fits the question. FALSE if it cannot be read whole. */
typedef gboolean (*PvsAnswered)(gpointer asker, PvsMessageType answer, PvsReader *body);

typedef struct {
	PvsAnswered answered;
	/* The question will not be answered: trust and the vault were replaced or are gone. */
	void (*lost)(gpointer asker);
	/* New channels are there (grants of the old ones are void). */
	void (*arrived)(void);
	/* The last question on its way was answered or lost. */
	void (*quiet)(void);
} PvsPeersEvents;

/* What an earlier call of this has set up is dropped. */
void pvs_peers_init(PvsChannel *monitor, const PvsPeersEvents *events);

/* Takes the descriptors of a new pair, in place of the one there was. */
void pvs_peers_replace(int trust, int vault);

gboolean pvs_peers_present(void); /* both channels are open */
guint pvs_peers_outstanding(void);

/* Asks @whom; @body may be NULL. Trust and the vault must be present. */
void pvs_peers_ask(PvsRole whom, PvsMessageType question, const PvsWriter *body, gpointer asker);

/* The monitor's answers come on the channel that front.c has the handlers of. */
gboolean pvs_peers_answer(PvsMessage *message);
