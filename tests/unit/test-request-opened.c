/* SPDX-License-Identifier: MIT */
/*
 * test-request-opened.c - add-secret requests, opened again
 */
#include "daemon/vault/request.h"

#include <string.h>

#include <openssl/err.h>

#include "tests/unit/request-case.h"

/* ---- random requests, opened again ---- */

static void check_opened(const Case *c, GBytes *request, EVP_PKEY *host)
{
	const guint8 *r = g_bytes_get_data(request, NULL);
	guint8 expected[32] = {0};
	Opened opened;

	g_assert_true(test_open_request(request, host, &opened));
	g_assert_cmpuint(opened.flags, ==, c->input.flags);
	g_assert_cmpmem(r + 0x38, 208, &c->input.tags, sizeof c->input.tags);
	g_assert_cmpmem(r + 0x108, 16, c->input.cuid, 16);
	g_assert_cmpuint(opened.type, ==, c->input.type);
	g_assert_cmpuint(opened.secret_size, ==, c->secret ? 32 : 0);
	if (c->secret) {
		g_assert_cmpmem(opened.id, 32, c->input.id, 32);
		g_assert_cmpmem(opened.secret, 32, c->secret->bytes, 32);
	}
	if (c->cck)
		test_hkdf512(c->cck->bytes, c->input.tags.tag, 16, "IBM Z Ultravisor Add-Secret",
			     expected, 32);
	else if (c->extension_secret)
		memcpy(expected, c->extension_secret->bytes, 32);
	g_assert_cmpmem(opened.extension, 32, expected, 32);
}

enum { HOSTS = 20 };

static gpointer build_random(gpointer data)
{
	EVP_PKEY **hosts = data;

	for (guint i = 0; i < 50; i++) {
		guint n = (guint)g_random_int_range(1, HOSTS + 1);
		g_auto(Case) c = {.points = NULL};
		g_autoptr(GBytes) request = NULL;
		Opened opened;

		test_random_case(&c, hosts, n);
		request = test_build(&c);
		for (guint j = 0; j < n; j += 1 + n / 4) {
			const guint8 *r = g_bytes_get_data(request, NULL);
			guint8 phkh[32];

			/* Slots are in the order of the keys. */
			test_sha256(c.points[j], PVS_POINT_SIZE, phkh);
			g_assert_cmpmem(r + 0x4b8 + 80 * j, 32, phkh, 32);
			check_opened(&c, request, hosts[j]);
		}
		if (n < HOSTS) /* another host finds no slot */
			g_assert_false(test_open_request(request, hosts[n], &opened));
	}
	return NULL;
}

/* 200 in all, from four threads at a time. */
static void test_random(void)
{
	EVP_PKEY *hosts[HOSTS];
	GThread *threads[4];
	guint8 point[PVS_POINT_SIZE];

	for (guint i = 0; i < HOSTS; i++)
		hosts[i] = test_new_key(point);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("build", build_random, hosts);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
	for (guint i = 0; i < HOSTS; i++)
		EVP_PKEY_free(hosts[i]);
}

/* The format's most host keys: 255 slots. */
static void test_most_hosts(void)
{
	guint8 point[PVS_POINT_SIZE];
	g_autoptr(EVP_PKEY) host = test_new_key(point);
	g_autoptr(GBytes) request = NULL;
	g_auto(Case) c = {.points = NULL};
	EVP_PKEY *hosts[PVS_HOST_KEYS_MAX];
	Opened opened;

	for (guint i = 0; i < PVS_HOST_KEYS_MAX; i++)
		hosts[i] = host;
	test_random_case(&c, hosts, PVS_HOST_KEYS_MAX);
	request = test_build(&c);
	g_assert_true(test_open_request(request, host, &opened));
}

/* ---- every bit of every input ---- */

static void bits_matter(Case *c, guint8 *bytes, gsize size, GBytes *original, gsize offset)
{
	gsize total = g_bytes_get_size(original);
	const guint8 *old = g_bytes_get_data(original, NULL);

	for (gsize bit = 0; bit < 8 * size; bit++) {
		g_autoptr(GBytes) request = NULL;
		const guint8 *r;

		bytes[bit / 8] ^= (guint8)(1 << bit % 8);
		request = test_build(c);
		r = g_bytes_get_data(request, NULL);
		g_assert_cmpuint(g_bytes_get_size(request), ==, total);
		/* The tag covers everything; and the bytes themselves stand where they belong. */
		g_assert_true(memcmp(r + total - 16, old + total - 16, 16) != 0);
		if (offset)
			g_assert_cmpmem(r + offset, size, bytes, size);
		bytes[bit / 8] ^= (guint8)(1 << bit % 8);
	}
}

static void test_every_bit(void)
{
	guint8 point[PVS_POINT_SIZE];
	g_autoptr(GBytes) original = NULL;
	g_autoptr(GBytes) last = NULL;
	g_auto(Case) c = {.points = NULL};

	EVP_PKEY_free(test_new_key(point));
	c.points = g_memdup2(point, sizeof point);
	c.input.n_host_points = 1;
	c.input.type = PVS_SECRET_ASSOCIATION;
	c.secret = test_filled(1);
	c.cck = test_filled(2);
	g_assert_true(pvs_request_draw(&c.randomness, NULL));
	original = test_build(&c);

	bits_matter(&c, (guint8 *)&c.input.tags, sizeof c.input.tags, original, 0x38);
	bits_matter(&c, c.input.cuid, sizeof c.input.cuid, original, 0x108);
	bits_matter(&c, (guint8 *)&c.input.flags, sizeof c.input.flags, original, 0);
	bits_matter(&c, c.input.id, sizeof c.input.id, original, 0x4b8 + 80 + 16);
	bits_matter(&c, c.secret->bytes, 32, original, 0);
	bits_matter(&c, c.cck->bytes, 32, original, 0);
	bits_matter(&c, c.randomness.iv, sizeof c.randomness.iv, original, 0x10);
	bits_matter(&c, c.randomness.protection_key->bytes, 32, original, 0);
	c.extension_secret = g_steal_pointer(&c.cck);
	g_bytes_unref(g_steal_pointer(&original));
	original = test_build(&c);
	bits_matter(&c, c.extension_secret->bytes, 32, original, 0);
	/* And the same inputs make the same request: nothing else goes in. */
	last = test_build(&c);
	g_assert_true(g_bytes_equal(last, original));
}

/* No bit of a finished request can be changed unnoticed. */
static void test_every_bit_of_the_request(void)
{
	guint8 point[PVS_POINT_SIZE];
	g_autoptr(EVP_PKEY) host = test_new_key(point);
	EVP_PKEY *hosts[] = {host};
	g_auto(Case) c = {.points = NULL};
	g_autoptr(GBytes) request = NULL;
	g_autofree guint8 *bytes = NULL;
	gsize size;
	Opened opened;

	test_random_case(&c, hosts, 1);
	request = test_build(&c);
	bytes = g_memdup2(g_bytes_get_data(request, &size), g_bytes_get_size(request));
	/* What a decoder needs to find its way is not flipped, nor is the customer's point, which
	 * would not be on the curve. */
	for (gsize at = 0x10; at < size; at++) {
		g_autoptr(GBytes) changed = NULL;

		if (at == 0x27 || (at >= 0x2c && at < 0x30) || (at >= 0x418 && at < 0x4b8) ||
		    (at >= 0x508 && at < 0x510))
			continue;
		bytes[at] ^= 0x10;
		changed = g_bytes_new(bytes, size);
		g_assert_false(test_open_request(changed, host, &opened));
		bytes[at] ^= 0x10;
	}
	ERR_clear_error();
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	test_arena_init();

	g_test_add_func("/request-opened/random", test_random);
	g_test_add_func("/request-opened/most-hosts", test_most_hosts);
	g_test_add_func("/request-opened/every-bit", test_every_bit);
	g_test_add_func("/request-opened/every-bit-of-the-request", test_every_bit_of_the_request);
	return g_test_run();
}
