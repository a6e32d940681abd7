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

/* Of one text; shared by the calls of a batch. */
typedef struct PvsSecrets PvsSecrets;

/* @text is what the scanner passed, @spans what pvs_scanner_secrets() found in it. In the place of
 * each stands afterwards its number in decimal; "!" for one that is too short for that (and so for
 * base64), and still nothing for one that is empty. */
PvsSecrets *pvs_secrets_cut(char *text, const PvsSecretSpan *spans, guint n);

PvsSecrets *pvs_secrets_ref(PvsSecrets *secrets);
void pvs_secrets_unref(PvsSecrets *secrets); /* wipes what was not taken; NULL is allowed */

/* Hands over secret number @i, once. NULL with PARAM_BASE64 if it was not base64 (or there is none
 * of this number), PARAM_SECRET_SIZE if it is longer than any secret, TOO_FAST if the locked memory
 * had no room; each without a parameter. */
PvsSecret *pvs_secrets_take(PvsSecrets *secrets, guint i, GError **error);
