/* SPDX-License-Identifier: MIT */
/*
 * secrets.c - takes the secrets out of a text before anything copies it
 */
#include "daemon/front/secrets.h"

#include <stdio.h>
#include <string.h>

#include "protocol/encoding.h"

typedef struct {
	PvsSecret *secret; /* NULL: see why, or it was taken */
	PvsError why;
} Entry;

struct PvsSecrets {
	guint refs;
	guint n;
	Entry entries[];
};

/* Overwrites the @size bytes of a string's contents and its closing quote behind them by @word, a
 * quote and spaces. */
static void overwrite(char *contents, gsize size, const char *word)
{
	gsize n = strlen(word);

	g_assert(n <= size);
	explicit_bzero(contents, size + 1);
	memset(contents, ' ', size + 1);
	memcpy(contents, word, n);
	contents[n] = '"';
}

/* Decodes into the arena; the size is known only afterwards. */
static Entry decode(const char *contents, gsize size)
{
	gsize most = size / 4 * 3, capacity = MIN(most, PVS_SECRET_VALUE_MAX + 3), decoded;
	g_autoptr(PvsSecret) roomy = pvs_secret_new(capacity);
	PvsSecret *exact;

	if (!roomy)
		return (Entry){.why = PVS_ERROR_TOO_FAST};
	if (!pvs_base64_decode_json(contents, size, roomy->bytes, capacity, &decoded))
		return (Entry){.why = most > capacity ? PVS_ERROR_PARAM_SECRET_SIZE
						      : PVS_ERROR_PARAM_BASE64};
	if (decoded > PVS_SECRET_VALUE_MAX)
		return (Entry){.why = PVS_ERROR_PARAM_SECRET_SIZE};
	exact = pvs_secret_new(decoded);
	if (!exact)
		return (Entry){.why = PVS_ERROR_TOO_FAST};
	memcpy(exact->bytes, roomy->bytes, decoded);
	return (Entry){.secret = exact, .why = PVS_ERROR_PARAM_BASE64};
}

PvsSecrets *pvs_secrets_cut(char *text, const PvsSecretSpan *spans, guint n)
{
	PvsSecrets *secrets = g_malloc0(sizeof *secrets + n * sizeof(Entry));

	/* Base64 has at least four characters, room for four digits. */
	g_assert(n <= 10000);
	secrets->refs = 1;
	secrets->n = n;
	for (guint i = 0; i < n; i++) {
		char *contents = text + spans[i].offset;
		gsize size = spans[i].size;
		char word[16] = "!";

		secrets->entries[i].why = PVS_ERROR_PARAM_BASE64;
		if (size == 0)
			continue;
		if (size >= 4) {
			secrets->entries[i] = decode(contents, size);
			snprintf(word, sizeof word, "%u", i);
		}
		overwrite(contents, size, word);
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
		pvs_secret_free(secrets->entries[i].secret);
	g_free(secrets);
}

PvsSecret *pvs_secrets_take(PvsSecrets *secrets, guint i, GError **error)
{
	if (i < secrets->n && secrets->entries[i].secret)
		return g_steal_pointer(&secrets->entries[i].secret);
	pvs_fail(error, i < secrets->n ? secrets->entries[i].why : PVS_ERROR_PARAM_BASE64, NULL,
		 NULL);
	return NULL;
}
