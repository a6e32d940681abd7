/* SPDX-License-Identifier: MIT */
/*
 * secrets.h - takes the secrets out of a text before anything copies it
 *
 * What a client hands over as a secret stands in the text as base64. It is decoded into locked
 * memory and its place in the text overwritten by its number, so that neither the JSON parser nor
 * anything behind it ever has it. The text keeps its length and stays valid JSON.
 */
#pragma once

#include "daemon/locked.h"
#include "protocol/scanner.h"

#define PVS_SECRET_VALUE_MAX 8192 /* bytes of one secret */

/* Of one text; each of @secrets may be NULL: then it was not base64, too long, or taken. Shared by
 * the calls of a batch. */
typedef struct PvsSecrets PvsSecrets;

/* @text is what the scanner passed, @spans what pvs_scanner_secrets() found in it. NULL if the
 * locked memory has no room: then the text is wiped. */
PvsSecrets *pvs_secrets_cut(char *text, gsize size, const PvsSecretSpan *spans, guint n);

PvsSecrets *pvs_secrets_ref(PvsSecrets *secrets);
void pvs_secrets_unref(PvsSecrets *secrets); /* wipes what was not taken */

/* Takes secret number @i; NULL if there is none. */
PvsSecret *pvs_secrets_take(PvsSecrets *secrets, guint i);
