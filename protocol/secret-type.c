/* SPDX-License-Identifier: MIT */
/*
 * secret-type.c - the types of secrets that a request can carry, in one table
 */
#include "protocol/secret-type.h"

#include <string.h>

enum {
	LENGTH = 2, /* bytes of a plaintext's own length, before it */
	BLOCK = 16, /* a plaintext is padded to a multiple of it */
};

static const struct {
	PvsSecretType type;
	const char *word;
	const char *kind;  /* of create_retrievable; NULL: it has a method of its own */
	const char *curve; /* NULL: none */
	gsize min, max;	   /* bytes of a value */
	gsize stored;	   /* in the request; 0: see LENGTH and BLOCK */
} types[] = {
	{PVS_SECRET_NULL, "meta", NULL, NULL, 0, 0, 0},
	{PVS_SECRET_ASSOCIATION, "association", NULL, NULL, 32, 32, 32},
	{PVS_SECRET_PLAINTEXT, "plaintext", "plain", NULL, 0, PVS_PLAINTEXT_MAX, 0},
	{PVS_SECRET_AES_128, "aes-128-key", "aes", NULL, 16, 16, 16},
	{PVS_SECRET_AES_192, "aes-192-key", "aes", NULL, 24, 24, 24},
	{PVS_SECRET_AES_256, "aes-256-key", "aes", NULL, 32, 32, 32},
	{PVS_SECRET_AES_XTS_128, "aes-xts-128-key", "aes-xts", NULL, 32, 32, 32},
	{PVS_SECRET_AES_XTS_256, "aes-xts-256-key", "aes-xts", NULL, 64, 64, 64},
	{PVS_SECRET_HMAC_SHA_256, "hmac-sha-256-key", "hmac-sha", NULL, 64, 64, 64},
	{PVS_SECRET_HMAC_SHA_512, "hmac-sha-512-key", "hmac-sha", NULL, 128, 128, 128},
	{PVS_SECRET_EC_SECP256R1, "ec-secp256r1-private-key", "ec", "secp256r1", 32, 32, 32},
	{PVS_SECRET_EC_SECP384R1, "ec-secp384r1-private-key", "ec", "secp384r1", 48, 48, 48},
	{PVS_SECRET_EC_SECP521R1, "ec-secp521r1-private-key", "ec", "secp521r1", 66, 66, 80},
	{PVS_SECRET_EC_ED25519, "ec-ed25519-private-key", "ec", "ed25519", 32, 32, 32},
	{PVS_SECRET_EC_ED448, "ec-ed448-private-key", "ec", "ed448", 57, 57, 64},
	{PVS_SECRET_UPDATE_CCK, "update-cck", NULL, NULL, 32, 32, 32},
};

/* -1: there is no such type. */
static int find(guint type)
{
	for (guint i = 0; i < G_N_ELEMENTS(types); i++)
		if ((guint)types[i].type == type)
			return (int)i;
	return -1;
}

const char *pvs_secret_type_word(guint type)
{
	int i = find(type);

	return i < 0 ? NULL : types[i].word;
}

const char *pvs_secret_type_kind(const char *kind)
{
	for (guint i = 0; i < G_N_ELEMENTS(types); i++)
		if (g_strcmp0(types[i].kind, kind) == 0)
			return types[i].kind;
	return NULL;
}

const char *pvs_secret_type_curve(const char *curve)
{
	for (guint i = 0; i < G_N_ELEMENTS(types); i++)
		if (g_strcmp0(types[i].curve, curve) == 0)
			return types[i].curve;
	return NULL;
}

gboolean pvs_secret_type_fits(const char *kind, const char *curve)
{
	for (guint i = 0; i < G_N_ELEMENTS(types); i++)
		if (types[i].kind && strcmp(types[i].kind, kind) == 0 &&
		    g_strcmp0(types[i].curve, curve) == 0)
			return TRUE;
	return FALSE;
}

gboolean pvs_secret_type_find(const char *kind, const char *curve, gsize size, guint16 *type)
{
	for (guint i = 0; i < G_N_ELEMENTS(types); i++)
		if (types[i].kind && strcmp(types[i].kind, kind) == 0 &&
		    g_strcmp0(types[i].curve, curve) == 0 && size >= types[i].min &&
		    size <= types[i].max) {
			*type = (guint16)types[i].type;
			return TRUE;
		}
	return FALSE;
}

gboolean pvs_secret_type_takes(guint type, gsize size)
{
	int i = find(type);

	/* A meta secret has no value, not one of no bytes. */
	return i >= 0 && type != PVS_SECRET_NULL && size >= types[i].min && size <= types[i].max;
}

gsize pvs_secret_type_stored(guint type, gsize size)
{
	int i = find(type);

	g_assert(i >= 0);
	if (type == PVS_SECRET_PLAINTEXT)
		return (LENGTH + size + BLOCK - 1) / BLOCK * BLOCK;
	return types[i].stored;
}

gsize pvs_secret_type_before(guint type)
{
	int i = find(type);

	g_assert(i >= 0);
	return type == PVS_SECRET_PLAINTEXT ? LENGTH : types[i].stored - types[i].max;
}
