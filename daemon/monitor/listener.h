/* SPDX-License-Identifier: MIT */
/*
 * listener.h - the socket that clients connect to
 *
 * One plain source on one descriptor (GSocketService stops accepting, or spins, where it matters).
 * Accepting never stops for good and never spins: where descriptors run out it rests for a moment.
 */
#pragma once

#include <glib.h>

typedef void (*PvsAccepted)(int fd); /* takes the connection, non-blocking and close-on-exec */

/* The one socket that systemd passed, checked to be a listening UNIX stream socket; where @path is
 * given, a socket made there instead (mode 0660; a stale one is replaced, one that answers is not).
 */
gboolean pvs_listener_open(const char *path, GError **error);

/* Starts accepting. */
void pvs_listener_start(PvsAccepted accepted);

/* Stops accepting; whoever connects waits in the queue of the socket. */
void pvs_listener_stop(void);

/* Closes the socket and removes what pvs_listener_open() made. */
void pvs_listener_close(void);
