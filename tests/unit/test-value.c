/* SPDX-License-Identifier: MIT */
/*
 * test-value.c - types of secrets: their sizes, and how a value stands in a request
 */
#include "daemon/vault/value.h"

#include <string.h>

#include "protocol/encoding.h"
#include "protocol/error.h"
#include "protocol/secret-type.h"

/* As add-secret-request has them: number, word, the API's kind and curve, sizes. Written out here a
 * second time. */
static const struct {
	guint16 type;
	const char *word, *kind, *curve;
	gsize min, max, stored;
} types[] = {
	{0x01, "meta", NULL, NULL, 0, 0, 0},
	{0x02, "association", NULL, NULL, 32, 32, 32},
	{0x03, "plaintext", "plain", NULL, 0, 8190, 0},
	{0x04, "aes-128-key", "aes", NULL, 16, 16, 16},
	{0x05, "aes-192-key", "aes", NULL, 24, 24, 24},
	{0x06, "aes-256-key", "aes", NULL, 32, 32, 32},
	{0x07, "aes-xts-128-key", "aes-xts", NULL, 32, 32, 32},
	{0x08, "aes-xts-256-key", "aes-xts", NULL, 64, 64, 64},
	{0x09, "hmac-sha-256-key", "hmac-sha", NULL, 64, 64, 64},
	{0x0a, "hmac-sha-512-key", "hmac-sha", NULL, 128, 128, 128},
	{0x11, "ec-secp256r1-private-key", "ec", "secp256r1", 32, 32, 32},
	{0x12, "ec-secp384r1-private-key", "ec", "secp384r1", 48, 48, 48},
	{0x13, "ec-secp521r1-private-key", "ec", "secp521r1", 66, 66, 80},
	{0x14, "ec-ed25519-private-key", "ec", "ed25519", 32, 32, 32},
	{0x15, "ec-ed448-private-key", "ec", "ed448", 57, 57, 64},
	{0x16, "update-cck", NULL, NULL, 32, 32, 32},
};

static void test_types(void)
{
	for (guint type = 0; type <= 0x100; type++) {
		gsize i = 0;

		while (i < G_N_ELEMENTS(types) && types[i].type != type)
			i++;
		g_assert_cmpstr(pvs_secret_type_word(type), ==,
				i < G_N_ELEMENTS(types) ? types[i].word : NULL);
		for (gsize size = 0; size <= 8200; size++)
			g_assert_cmpint(pvs_secret_type_takes(type, size), ==,
					i < G_N_ELEMENTS(types) && type != PVS_SECRET_NULL &&
						size >= types[i].min && size <= types[i].max);
	}
}

static void test_find(void)
{
	static const char *const kinds[] = {"plain", "aes", "aes-xts", "hmac-sha", "ec"};
	static const char *const curves[] = {NULL,	  "secp256r1", "secp384r1",
					     "secp521r1", "ed25519",   "ed448"};
	guint found = 0;

	for (gsize k = 0; k < G_N_ELEMENTS(kinds); k++)
		for (gsize c = 0; c < G_N_ELEMENTS(curves); c++) {
			gboolean together = (strcmp(kinds[k], "ec") == 0) == (curves[c] != NULL);

			g_assert_cmpint(pvs_secret_type_fits(kinds[k], curves[c]), ==, together);
			for (gsize size = 0; size < 300; size++) {
				guint16 type = 0, expected = 0;

				for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
					if (g_strcmp0(types[i].kind, kinds[k]) == 0 &&
					    g_strcmp0(types[i].curve, curves[c]) == 0 &&
					    size >= types[i].min && size <= types[i].max)
						expected = types[i].type;
				g_assert_cmpint(
					pvs_secret_type_find(kinds[k], curves[c], size, &type), ==,
					expected != 0);
				g_assert_cmpuint(type, ==, expected);
				found += expected != 0;
			}
		}
	g_assert_cmpuint(found, ==, 300 + 3 + 2 + 2 + 5);
	g_assert_cmpstr(pvs_secret_type_kind("aes"), ==, "aes");
	g_assert_cmpstr(pvs_secret_type_curve("ed448"), ==, "ed448");
	g_assert_null(pvs_secret_type_kind("AES"));
	g_assert_null(pvs_secret_type_kind("association"));
	g_assert_null(pvs_secret_type_curve("secp256k1"));
	g_assert_null(pvs_secret_type_curve(""));
}

/* Good values of every size that a type has: at the right, behind a plaintext's length, and zeros
 * all around. */
static void test_stored(void)
{
	guint8 value[8190];

	memset(value, 0x01, sizeof value);
	/* A meta secret, the first, has no value. */
	for (gsize i = 1; i < G_N_ELEMENTS(types); i++)
		for (gsize size = types[i].min; size <= types[i].max; size++) {
			g_autoptr(GError) error = NULL;
			g_autoptr(PvsSecret) s =
				pvs_value_stored(types[i].type, value, size, &error);
			gboolean plain = types[i].type == PVS_SECRET_PLAINTEXT;
			gsize expected = plain ? (2 + size + 15) & ~(gsize)15 : types[i].stored;
			gsize before = plain ? 2 : expected - size;
			g_autofree guint8 *zeros = g_malloc0(expected);

			g_assert_no_error(error);
			g_assert_true(pvs_locked_owns(s));
			g_assert_cmpuint(s->size, ==, expected);
			g_assert_cmpuint(pvs_secret_type_stored(types[i].type, size), ==, expected);
			g_assert_cmpmem(s->bytes + before, size, value, size);
			if (plain)
				g_assert_cmpuint(s->bytes[0] << 8 | s->bytes[1], ==, size);
			else
				g_assert_cmpmem(s->bytes, before, zeros, before);
			g_assert_cmpmem(s->bytes + before + size, expected - before - size, zeros,
					expected - before - size);
			if (size > 40 && plain && size < 8180)
				size += 7;
		}
}

static void test_sizes(void)
{
	guint8 value[8192];

	memset(value, 0x01, sizeof value);
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		/* A plaintext of no bytes is one. */
		const gsize sizes[] = {types[i].type == PVS_SECRET_PLAINTEXT ? 8191 : 0,
				       types[i].min - 1, types[i].max + 1};

		for (gsize k = 0; k < G_N_ELEMENTS(sizes); k++) {
			g_autoptr(GError) error = NULL;

			g_assert_null(pvs_value_stored(types[i].type, value, sizes[k], &error));
			g_assert_error(error, PVS_ERROR, PVS_ERROR_PARAM_SECRET_SIZE);
			g_assert_cmpstr(pvs_error_param(error), ==, "/secret/value");
		}
	}
}

/* The orders, and what is one less and one more; leading zeros are a part of a number. */
static void test_scalars(void)
{
	static const struct {
		guint16 type;
		const char *order;
	} rows[] = {
		{PVS_SECRET_EC_SECP256R1,
		 "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"},
		{PVS_SECRET_EC_SECP384R1, "ffffffffffffffffffffffffffffffffffffffffffffffff"
					  "c7634d81f4372ddf581a0db248b0a77aecec196accc52973"},
		{PVS_SECRET_EC_SECP521R1,
		 "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa"
		 "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		gsize size = strlen(rows[i].order) / 2;

		for (int way = 0; way < 8; way++) {
			g_autoptr(GError) error = NULL;
			g_autoptr(PvsSecret) s = NULL;
			guint8 value[66];
			gboolean good = way == 1 || way == 3 || way == 6;

			g_assert_true(pvs_hex_decode(rows[i].order, value, size));
			/* 0: the order; 1: one less; 2: one more; 3: its first byte one less; 4:
			 * all bits; 5: zero; 6: one; 7: its first byte one more, where there is
			 * room. */
			if (way == 1 || way == 2)
				value[size - 1] = (guint8)(value[size - 1] + (way == 1 ? -1 : 1));
			if (way == 3)
				value[0]--;
			if (way == 4)
				memset(value, 0xff, size);
			if (way == 5 || way == 6)
				memset(value, 0, size);
			if (way == 6)
				value[size - 1] = 1;
			if (way == 7 && value[0] < 0xff)
				value[0]++;
			s = pvs_value_stored(rows[i].type, value, size, &error);
			g_assert_cmpint(s != NULL, ==, good);
			if (!good)
				g_assert_error(error, PVS_ERROR, PVS_ERROR_PARAM_SCALAR);
		}
	}
	/* A seed is any bytes. */
	for (guint type = PVS_SECRET_EC_ED25519; type <= PVS_SECRET_EC_ED448; type++) {
		static const guint8 zeros[57];
		g_autoptr(PvsSecret) s =
			pvs_value_stored(type, zeros, type == PVS_SECRET_EC_ED448 ? 57 : 32, NULL);

		g_assert_nonnull(s);
	}
}

static void test_full(void)
{
	g_autoptr(GPtrArray) taken =
		g_ptr_array_new_with_free_func((GDestroyNotify)pvs_secret_free);
	g_autoptr(GError) error = NULL;
	guint8 value[8190] = {1};
	PvsSecret *s;

	while ((s = pvs_value_stored(PVS_SECRET_PLAINTEXT, value, sizeof value, &error)))
		g_ptr_array_add(taken, s);
	g_assert_error(error, PVS_ERROR, PVS_ERROR_TOO_FAST);
	g_assert_cmpuint(taken->len, >, 2);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;

	g_test_init(&argc, &argv, NULL);
	g_assert_true(pvs_locked_init(64 * 1024, &error));
	g_test_add_func("/value/types", test_types);
	g_test_add_func("/value/find", test_find);
	g_test_add_func("/value/stored", test_stored);
	g_test_add_func("/value/sizes", test_sizes);
	g_test_add_func("/value/scalars", test_scalars);
	g_test_add_func("/value/full", test_full);
	return g_test_run();
}
