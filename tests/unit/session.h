/* SPDX-License-Identifier: MIT */
/*
 * session.h - a store and who judges by it, from one reload to the next, with a clock of the test's
 * own
 */
#pragma once

#include "daemon/trust/court.h"
#include "tests/unit/trust-world.h"

/* First and last in main(); with world_start() and world_end(). */
void session_start(void);
void session_end(void);

extern gint64 session_time; /* what the clock says, which is: */
gint64 session_clock(void);

extern X509 *session_host;		 /* a good document, */
extern GBytes *session_document;	 /* and its PEM */
extern const guint8 session_nothing[32]; /* a digest of nothing that a client brings */

typedef struct {
	PvsStore *store;
	PvsCourt *court;
} Session;

void session_clear(Session *session);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Session, session_clear)

/* As trust does it: what was there is gone. */
void session_load(Session *session, World *world);

/* What is said of session_document: the reason, NULL for good. */
const char *session_judge(Session *session);

/* TRUE where a warning of the inventory has @text in it. */
gboolean session_says(Session *session, const char *text);

/* A CRL of the signing key from so many days ago to so many days on, of the day WORLD_NOW. */
void session_put_crl(World *world, const char *name, int from, int until);
