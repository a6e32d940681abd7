/* SPDX-License-Identifier: MIT */
/*
 * download.h - one URL, by http or https, within limits
 */
#pragma once

#include <glib.h>

/* Once, before any other thread is there. */
gboolean pvs_download_init(GError **error);

/* What @url gives with the status 200, behind at most three redirections: @max bytes at most, after
 * @seconds at most. PVS_ERROR_SYSTEM says what went wrong. */
GBytes *pvs_download(const char *url, gsize max, guint seconds, GError **error);
