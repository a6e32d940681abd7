/* SPDX-License-Identifier: MIT */
/*
 * fuzz-points.c - what the fetcher reads: distribution points, and what a server sends
 *
 * The first byte says which. Even: the rest is the value of the extension, in a document that an
 * installed key signed; whatever stands in it, only plain http and https URLs are fetched. Odd: the
 * rest is what came in place of the CRL, as it is or (3, 7, ...) as changes to the genuine one
 * (three bytes each: where, and what is added); nothing but the genuine one is ever kept.
 */
#include <string.h>

#include <openssl/err.h>

#include "fetcher/judge.h"
#include "fetcher/points.h"
#include "tests/unit/trust-world.h"

enum { ENTRIES = 100 };

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static World *world;
/* With one document, whose point is fetched. (Volatile, or it is left out, and found as a leak.) */
static PvsStore *volatile plain;
static PvsPoints *plain_points;
static PvsJudge *judge;
static GBytes *genuine;

static X509 *host_with(const guint8 *data, gsize size)
{
	X509 *host = pvs_pki_host(world_pki, world_host_key);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	if (!value || ASN1_OCTET_STRING_set(value, data, (int)size) != 1)
		g_error("out of memory");
	ext = X509_EXTENSION_create_by_NID(NULL, NID_crl_distribution_points, 0, value);
	if (!ext || X509_add_ext(host, ext, -1) != 1 ||
	    X509_sign(host, world_pki->signing_key, EVP_sha512()) <= 0)
		g_error("the document cannot be signed");
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	return host;
}

static void start(void)
{
	/* One point, http://a/b. */
	static const guint8 value[] = {0x30, 0x12, 0x30, 0x10, 0xa0, 0x0e, 0xa0, 0x0c, 0x86, 0x0a,
				       'h',  't',  't',	 'p',  ':',  '/',  '/',	 'a',  '/',  'b'};
	g_autoptr(X509) host = NULL;

	world_start();
	world = world_new();
	host = host_with(value, sizeof value);
	world_put_cert(world, "hostkeys.d/host.crt", host);
	plain = world_load(world);
	plain_points = pvs_points_find(plain);
	g_assert_cmpuint(pvs_points_n(plain_points), ==, 1);
	judge = pvs_judge_new(ENTRIES, WORLD_NOW, NULL);
	g_assert_nonnull(judge);
	genuine = pvs_pki_crl_der(world_pki->signing_crl);
}

static void look_for_points(const guint8 *data, gsize size)
{
	g_autoptr(X509) host = host_with(data, size);
	g_autoptr(PvsStore) store = NULL;
	g_autoptr(PvsPoints) points = NULL;

	world_put_cert(world, "hostkeys.d/host.crt", host);
	store = world_load(world);
	points = pvs_points_find(store);
	g_assert_cmpuint(pvs_points_n_documents(points), ==, 1);
	for (guint i = 0; i < pvs_points_n(points); i++) {
		const PvsPoint *point = pvs_points_get(points, i);

		g_assert_true(g_ascii_strncasecmp(point->url, "http://", 7) == 0 ||
			      g_ascii_strncasecmp(point->url, "https://", 8) == 0);
		for (const char *c = point->url; *c; c++)
			g_assert_true(g_ascii_isgraph(*c));
		g_assert_cmpuint(point->claims->len, >, 0);
	}
	g_assert_cmpuint(ERR_peek_error(), ==, 0);
}

/* The signed part is that of the genuine one. */
static gboolean says_the_same(X509_CRL *crl)
{
	guint8 *tbs = NULL, *other = NULL;
	int size = i2d_re_X509_CRL_tbs(crl, &tbs);
	int other_size = i2d_re_X509_CRL_tbs(world_pki->signing_crl, &other);
	gboolean same = size > 0 && size == other_size && memcmp(tbs, other, (gsize)size) == 0;

	OPENSSL_free(tbs);
	OPENSSL_free(other);
	ERR_clear_error();
	return same;
}

static void judge_body(const guint8 *data, gsize size, gboolean is_genuine)
{
	g_autoptr(GBytes) body = g_bytes_new(data, size);
	g_autoptr(GError) error = NULL;
	X509 *issuer = NULL;
	g_autoptr(X509_CRL) crl =
		pvs_judge_body(judge, pvs_points_get(plain_points, 0), body, &issuer, &error);

	g_assert_true((crl == NULL) == (error != NULL));
	g_assert_true(crl ? says_the_same(crl) : !is_genuine);
	g_assert_true(!crl || X509_cmp(issuer, world_pki->signing) == 0);
	g_assert_cmpuint(ERR_peek_error(), ==, 0);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	const guint8 *good;
	g_autofree guint8 *copy = NULL;
	gsize n;

	if (!world)
		start();
	if (size == 0)
		return 0;
	if (data[0] % 2 == 0) {
		look_for_points(data + 1, size - 1);
		return 0;
	}
	if (data[0] % 4 == 1) {
		judge_body(data + 1, size - 1, FALSE);
		return 0;
	}
	good = g_bytes_get_data(genuine, &n);
	copy = g_memdup2(good, n);
	for (gsize i = 1; i + 3 <= size; i += 3)
		copy[(data[i] << 8 | data[i + 1]) % n] += data[i + 2];
	judge_body(copy, n, memcmp(copy, good, n) == 0);
	return 0;
}
