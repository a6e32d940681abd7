/* SPDX-License-Identifier: MIT */
/*
 * text.h - which characters may be shown as they are
 */
#pragma once

#include <glib.h>

/* TRUE for what is visible by itself: no control, format (among them those that turn the direction
 * of writing), separator or unassigned character, and no kind of space. */
gboolean pvs_text_visible(gunichar c);

/* @bytes (any bytes up to NUL) as one line that does nothing to a terminal: what is neither visible
 * nor a plain space becomes \xNN or \u{NNNN}. At most @max bytes of @bytes are looked at (0: all);
 * "..." says that there were more. Newly allocated. */
char *pvs_text_show(const char *bytes, gsize max);

/* Of a distinguished name (RFC 4514), what tells it from those beside it: its common name, or,
 * where that is its organization's, the unit; all of it where there is neither. Newly allocated. */
char *pvs_text_subject(const char *name);
