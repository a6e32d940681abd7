/* SPDX-License-Identifier: MIT */
/*
 * connection.h - a client's connection: texts in, answers out, within limits
 *
 * Reads a text whole, has its calls run, writes each answer as one line. A client is read from only
 * while there is room for what it may ask: what is too much stays in its socket, so nobody else
 * waits for it and it gets no error. A client that is too slow is closed.
 */
#pragma once

#include "protocol/bodies.h"

/* @limits is copied. @closed is called after a connection has ended, with all its descriptors. */
void pvs_connections_init(const PvsFrontStart *limits, void (*closed)(void));

/* Takes @fd, a non-blocking UNIX stream socket; @pid is the client's, or 0. */
void pvs_connection_new(int fd, guint32 pid);

/* How many there are. */
guint pvs_connections_count(void);

/* Tries for so long as the sockets take it at once to send what is queued; before the process ends.
 */
void pvs_connections_flush(void);
