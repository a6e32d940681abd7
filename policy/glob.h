/* SPDX-License-Identifier: MIT */
/*
 * glob.h - patterns of the access rules
 *
 * '*' stands for any characters or none, '?' for exactly one character of UTF-8; all else is
 * itself. Nothing else is special, so that a rule reads the same to everybody, in every locale. Not
 * fnmatch(3): what its brackets fit depends on the locale, and how long it takes on who wrote the
 * pattern; here it is at most the product of both lengths, and no memory.
 */
#pragma once

#include <glib.h>

gboolean pvs_glob_match(const char *pattern, const char *text);
