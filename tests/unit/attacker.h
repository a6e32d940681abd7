/* SPDX-License-Identifier: MIT */
/*
 * attacker.h - who sends whatever he likes to a worker, in a sibling's place
 */
#pragma once

#include <glib.h>

#include "protocol/bodies.h"
#include "protocol/message.h"
#include "protocol/wire.h"

extern guint attacker_messages; /* for a case: PVS_HOSTILE_MESSAGES */
/* For a case that is another one's with other rules, or whose messages are dear: a fifth, but not
 * below what a case has where nothing is said. */
extern guint attacker_fewer;
extern GRand *attacker_dice;

/* Draws a seed and says which; after g_test_init(). */
void attacker_init(void);
void attacker_end(void);
guint attacker_roll(guint n); /* below @n */

/* A message that he has seen and changes. */
typedef struct {
	PvsMessageType type;
	GBytes *body;
	GBytes *(*craft)(void); /* another body of right form; may be NULL */
} AttackerSample;

AttackerSample attacker_sample(PvsMessageType type, const PvsField *fields, gconstpointer body);

/* Whether the other side can see the end of what was made. */
typedef enum { ATTACKER_WHOLE, ATTACKER_CUT } AttackerShape;

/* Appends a message made of one of the @n samples, or of nothing. */
AttackerShape attacker_make(GByteArray *out, const AttackerSample *samples, guint n);

/* All of it, with the descriptor @passed unless that is -1; FALSE: the channel was cut. */
gboolean attacker_send(int fd, const GByteArray *bytes, int passed);

/* Reads what comes for one message; FALSE where the channel was cut. */
gboolean attacker_hear(int fd, void (*look)(guint32 type, PvsReader body));
