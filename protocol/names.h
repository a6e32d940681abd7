/* SPDX-License-Identifier: MIT */
/*
 * names.h - how keys and installed documents are named
 */
#pragma once

#include <glib.h>

/* [A-Za-z0-9][A-Za-z0-9_.-]{0,63} */
gboolean pvs_key_name_valid(const char *name);
