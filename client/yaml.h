/* SPDX-License-Identifier: MIT */
/*
 * yaml.h - the secret info: what the guest's owner must know of a secret to use it
 *
 *	!Association
 *	name: myConfidentialSecret
 *	id: 0x<64 hex digits>
 *
 * as pvsecret writes it, next to the request, in a file that is named after the secret.
 */
#pragma once

#include <glib.h>

/* @name (valid UTF-8) as a scalar that YAML 1.1 and 1.2 both read back as this very string: plain
 * where nothing could be taken for syntax, a number, a truth value or null; else double-quoted, on
 * one line. Newly allocated. */
char *pvs_yaml_string(const char *name);

/* The whole text. @tag is the type ("Association"), @kind the line between tag and name that some
 * types have (NULL: none), @id the secret's id as 64 hex digits. Newly allocated. */
char *pvs_yaml_secret_info(const char *tag, const char *kind, const char *name, const char *id);

/* The file's name, without a directory: every white-space character of @name replaced by "_", and
 * ".yaml" behind all of it (pvsecret replaces what follows the last dot, so that key.1 and key.2
 * overwrite each other). Refused are a name that is empty, "." or "..", has "/" or a control
 * character, is too long for a file, or makes @request (the request's file name without directory;
 * NULL: there is none). NULL with PVS_EXIT_FAILED then. Newly allocated. */
char *pvs_yaml_file_name(const char *name, const char *request, GError **error);
