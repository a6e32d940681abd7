/* SPDX-License-Identifier: MIT */
/*
 * fuzz-hostkey.c - a client's bytes as a host-key document
 *
 * The first byte says how: as they are, or as changes to a genuine document (three bytes each:
 * where, and what is added). Nobody can make a document that holds, so only the genuine one does.
 */
#include <string.h>

#include <openssl/err.h>

#include "tests/unit/trust-world.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static PvsStore *store;
static GBytes *genuine;

static void start(void)
{
	g_autoptr(World) world = NULL;
	g_autoptr(X509) host = NULL;

	world_start();
	world = world_new();
	store = world_load(world);
	host = pvs_pki_host(world_pki, world_host_key);
	genuine = pvs_pki_der(host);
}

static void judge(const guint8 *data, gsize size, gboolean good)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(PvsVerdict) verdict =
		pvs_verdict_reach(store, NULL, data, size, NULL, NULL, WORLD_NOW, &error);

	g_assert_cmpint(verdict != NULL, ==, good);
	g_assert_cmpint(error == NULL, ==, good);
	if (error)
		g_assert_true(error->domain == PVS_ERROR &&
			      pvs_error_code((PvsError)error->code) == -32002);
	g_assert_cmpuint(ERR_peek_error(), ==, 0);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	gsize n;
	const guint8 *good;
	g_autofree guint8 *copy = NULL;

	if (!store)
		start();
	if (size == 0)
		return 0;
	if (data[0] % 2 == 0) {
		judge(data + 1, size - 1, FALSE);
		return 0;
	}
	good = g_bytes_get_data(genuine, &n);
	copy = g_memdup2(good, n);
	for (gsize i = 1; i + 3 <= size; i += 3)
		copy[(data[i] << 8 | data[i + 1]) % n] += data[i + 2];
	judge(copy, n, memcmp(copy, good, n) == 0);
	return 0;
}
