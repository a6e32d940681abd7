/* SPDX-License-Identifier: MIT */
/*
 * unreachable.h - why nobody answers at the socket, and what to do
 */
#pragma once

#include <glib.h>

/* @err is connect(2)'s error for @path. @own: it is the daemon's own path, so an absent socket has
 * to do with systemd's unit. @root goes before the directories in which units are looked for (""
 * for the machine's own). PVS_EXIT_UNREACHABLE; always FALSE. */
gboolean pvs_unreachable(GError **error, const char *path, gboolean own, int err, const char *root);
