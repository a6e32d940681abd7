/* SPDX-License-Identifier: MIT */
/*
 * config-access.h - what stands in an [access NAME] section of pvsecretd.conf
 *
 * config.c finds sections and lines; here is what the keys of these sections mean. Texts are as
 * config.c takes them, "what is wrong; what to do", without file and line.
 */
#pragma once

#include "protocol/bodies.h"

enum { PVS_ACCESS_KEYS = 10 };

/* A section as it begins: nobody's, allowing nothing. */
void pvs_config_access_init(PvsAccessRule *rule, const char *name, const char *place);

/* Which of the section's keys @key is, less than PVS_ACCESS_KEYS; -1: none. */
int pvs_config_access_key(const char *key);

/* Sets it. FALSE with @wrong, newly allocated; or TRUE, perhaps with texts added to @warnings (of
 * char *): a user, a group or a method that there is not. */
gboolean pvs_config_access_set(PvsAccessRule *rule, int key, const char *value, GPtrArray *warnings,
			       char **wrong);

/* The section has come to its end: NULL, or what is wrong with the whole of it (static). */
const char *pvs_config_access_check(const PvsAccessRule *rule);

/* Adds to @warnings, as "@place: ...", what the section has that can come to nothing: a method that
 * always names something, without the list of what may be named. */
void pvs_config_access_warn(const PvsAccessRule *rule, const char *place, GPtrArray *warnings);
