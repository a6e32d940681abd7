/* SPDX-License-Identifier: MIT */
/*
 * audit.h - the audit log: a record before every reply
 *
 * A thread of its own writes, so that a log on a slow disk keeps nothing else from going on, and
 * records that come together are written together. What waits for its record longer than 5 seconds
 * is told that there is none. A disk that fails is asked again once a second; until it works each
 * record has to be on the disk before it counts as written, whatever is configured. Everything here
 * is called from the main loop.
 */
#pragma once

#include <glib.h>

/* Called once, from the main loop, never from within pvs_audit_write(). @written: the record is in
 * the log (and, if so configured, on the disk); else the call must fail. */
typedef void (*PvsAuditDone)(gboolean written, gpointer user);

/* Starts the thread; before the cage. @always: each record is on the disk before it counts as
 * written; else within a second of it. */
gboolean pvs_audit_start(gboolean always, GError **error);

/* From now on records go to @fd, open for reading and appending; @previous (-1: none) is the file
 * that the chain goes on from if @fd has no line. Takes both. What is torn at the end is ended, and
 * a line says so; a file that cannot be read or written, or that another daemon has, makes all
 * records fail until it can be had. */
void pvs_audit_open(int fd, int previous);

/* A record of @event ("create_association") with members made by protocol/audit.h. */
void pvs_audit_write(const char *event, const GString *members, PvsAuditDone done, gpointer user);

/* Writes what waits, and ends the thread. done() of what waited is not called any more. */
void pvs_audit_stop(void);
