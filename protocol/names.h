/* SPDX-License-Identifier: MIT */
/*
 * names.h - how keys and installed documents are named
 */
#pragma once

#include <glib.h>

/* [A-Za-z0-9][A-Za-z0-9_.-]{0,63} */
gboolean pvs_key_name_valid(const char *name);

/* TRUE for a file that is not meant: hidden, or the copy that an editor or an owner made of another
 * (NAME~). Directories of what is public are read without such files; in those of keys each file
 * has to be a key, since a copy of one that nobody thinks of is still a key. */
gboolean pvs_file_is_aside(const char *name);
