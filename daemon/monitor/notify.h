/* SPDX-License-Identifier: MIT */
/*
 * notify.h - what systemd is told (sd_notify(3))
 *
 * Through a socket of its own that is open before the cage is on: sd_notify() opens one each time.
 */
#pragma once

#include <glib.h>

/* Connects to $NOTIFY_SOCKET, once. Where there is none nobody is told, and that is no error. */
void pvs_notify_open(void);

/* "READY=1", "STOPPING=1", several lines: as sd_notify() has it. */
void pvs_notify(const char *state);
