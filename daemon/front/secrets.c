/* SPDX-License-Identifier: MIT */
/*
 * secrets.c - takes the secrets out of a text before anything copies it
 */
#include "daemon/front/secrets.h"

#include <stdio.h>
#include <string.h>

#include "protocol/api.h"
#include "protocol/encoding.h"

struct PvsSecrets {
	guint refs;
	guint n;
	PvsSecret *secrets[];
};

/* Overwrites the @size bytes of a string's contents, and its closing quote behind them, by @word, a
 * quote and spaces. A string too short for that is left empty of meaning. */
static void overwrite(char *contents, gsize size, const char *word)
{
	gsize n = MIN(strlen(word), size);

	memset(contents, ' ', size + 1);
	memcpy(contents, word, n);
	contents[n] = '"';
}

/* Decodes straight to where it will stay; the size is known only afterwards. */
static PvsSecret *decode(const char *contents, gsize size, gboolean *no_room)
{
	g_autoptr(PvsSecret) roomy = NULL;
	PvsSecret *exact;
	gsize capacity = MIN(size / 4 * 3 + 3, PVS_SECRET_VALUE_MAX);
	gsize decoded;

	roomy = pvs_secret_new(capacity);
	if (!roomy) {
		*no_room = TRUE;
		return NULL;
	}
	if (!pvs_base64_decode_json(contents, size, roomy->bytes, capacity, &decoded))
		return NULL;
	exact = pvs_secret_new(decoded);
	if (!exact)
		*no_room = TRUE;
	else
		memcpy(exact->bytes, roomy->bytes, decoded);
	return exact;
}

PvsSecrets *pvs_secrets_cut(char *text, gsize size, const PvsSecretSpan *spans, guint n)
{
	PvsSecrets *secrets = g_malloc0(sizeof *secrets + n * sizeof(PvsSecret *));
	gboolean no_room = FALSE;

	secrets->refs = 1;
	secrets->n = n;
	for (guint i = 0; i < n; i++) {
		char *contents = text + spans[i].offset;
		char word[16];

		secrets->secrets[i] = decode(contents, spans[i].size, &no_room);
		if (secrets->secrets[i])
			snprintf(word, sizeof word, "%u", i);
		else
			strcpy(word, PVS_SECRET_NOT_BASE64);
		overwrite(contents, spans[i].size, word);
	}
	if (no_room) {
		explicit_bzero(text, size);
		pvs_secrets_unref(secrets);
		return NULL;
	}
	return secrets;
}

PvsSecrets *pvs_secrets_ref(PvsSecrets *secrets)
{
	secrets->refs++;
	return secrets;
}

void pvs_secrets_unref(PvsSecrets *secrets)
{
	if (!secrets || --secrets->refs > 0)
		return;
	for (guint i = 0; i < secrets->n; i++)
		pvs_secret_free(secrets->secrets[i]);
	g_free(secrets);
}

PvsSecret *pvs_secrets_take(PvsSecrets *secrets, guint i)
{
	return i < secrets->n ? g_steal_pointer(&secrets->secrets[i]) : NULL;
}
