/* SPDX-License-Identifier: MIT */
/*
 * fuzz-crl.c - a client's bytes as certificates and CRLs that it brings with a genuine document
 *
 * The first byte says how: as they are, or as changes to one that is genuine (three bytes each:
 * where, and what is added). Whatever it is, it must not make a good document bad, for nothing in
 * it can be signed by who matters; nor a bad one good.
 */
#include <string.h>

#include <openssl/err.h>

#include "daemon/trust/x509.h"
#include "tests/unit/trust-world.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static PvsStore *whole, *without; /* the second has no CRL of the signing key */
static GBytes *document;
static GBytes *genuine[4];

static void start(void)
{
	g_autoptr(World) world = NULL;
	g_autoptr(X509) host = NULL;

	world_start();
	world = world_new();
	whole = world_load(world);
	world_remove(world, "trust.d/signing.crl");
	without = world_load(world);
	host = pvs_pki_host(world_pki, world_host_key);
	document = pvs_pki_der(host);
	genuine[0] = pvs_pki_crl_der(world_pki->signing_crl);
	genuine[1] = pvs_pki_crl_der(world_pki->inter_crl);
	genuine[2] = pvs_pki_der(world_pki->inter);
	genuine[3] = pvs_pki_der(world_pki->signing);
}

static gboolean holds(const PvsStore *store, PvsX509Stack *certs, PvsCrlStack *crls)
{
	g_autoptr(GError) error = NULL;
	gsize size;
	const guint8 *data = g_bytes_get_data(document, &size);
	g_autoptr(PvsVerdict) verdict =
		pvs_verdict_reach(store, NULL, data, size, certs, crls, WORLD_NOW, &error);

	if (error)
		g_assert_true(error->domain == PVS_ERROR &&
			      pvs_error_code((PvsError)error->code) == -32002);
	g_assert_cmpuint(ERR_peek_error(), ==, 0);
	return verdict != NULL;
}

/* The signed part is that of the signing key's CRL. What stands around it (RFC 5280 has the
 * algorithm there once more) is nobody's word. */
static gboolean is_signing_crl(PvsCrlStack *crls)
{
	guint8 *tbs = NULL, *signed_tbs = NULL;
	int size, signed_size;
	gboolean same;

	if (sk_X509_CRL_num(crls) != 1)
		return FALSE;
	size = i2d_re_X509_CRL_tbs(sk_X509_CRL_value(crls, 0), &tbs);
	signed_size = i2d_re_X509_CRL_tbs(world_pki->signing_crl, &signed_tbs);
	same = size > 0 && size == signed_size && memcmp(tbs, signed_tbs, (gsize)size) == 0;
	OPENSSL_free(tbs);
	OPENSSL_free(signed_tbs);
	ERR_clear_error();
	return same;
}

static void bring(const guint8 *data, gsize size, gboolean genuine_crl)
{
	g_autoptr(PvsX509Stack) certs = sk_X509_new_null();
	g_autoptr(PvsCrlStack) crls = sk_X509_CRL_new_null();
	gboolean good;

	if (!pvs_x509_read(data, size, certs, crls)) {
		g_assert_false(genuine_crl);
		return;
	}
	g_assert_true(holds(whole, certs, crls));
	good = holds(without, certs, crls);
	g_assert_true(good ? is_signing_crl(crls) : !genuine_crl);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	gsize n;
	const guint8 *good;
	g_autofree guint8 *copy = NULL;
	guint which;

	if (!whole)
		start();
	if (size == 0)
		return 0;
	if (data[0] % 2 == 0) {
		bring(data + 1, size - 1, FALSE);
		return 0;
	}
	which = data[0] / 2 % G_N_ELEMENTS(genuine);
	good = g_bytes_get_data(genuine[which], &n);
	copy = g_memdup2(good, n);
	for (gsize i = 1; i + 3 <= size; i += 3)
		copy[(data[i] << 8 | data[i + 1]) % n] += data[i + 2];
	bring(copy, n, which == 0 && memcmp(copy, good, n) == 0);
	return 0;
}
