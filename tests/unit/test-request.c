/* SPDX-License-Identifier: MIT */
/*
 * test-request.c - add-secret requests, byte for byte
 */
#include "daemon/vault/request.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "daemon/vault/value.h"
#include "protocol/encoding.h"
#include "protocol/error.h"
#include "tests/unit/request-case.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free)

/* ---- vectors ---- */

static gboolean field(GKeyFile *file, const char *name, guint8 *out, gsize size)
{
	g_autofree char *hex = g_key_file_get_string(file, "vector", name, NULL);

	if (!hex)
		return FALSE;
	g_assert_true(pvs_hex_decode(hex, out, size));
	return TRUE;
}

static GBytes *bytes_field(GKeyFile *file, const char *name)
{
	g_autofree char *hex = g_key_file_get_string(file, "vector", name, NULL);
	gsize size = hex ? strlen(hex) / 2 : 0;
	g_autofree guint8 *bytes = g_malloc0(size + 1);

	if (!hex)
		return NULL;
	g_assert_true(pvs_hex_decode(hex, bytes, size));
	return g_bytes_new(bytes, size);
}

static PvsSecret *secret_field(GKeyFile *file, const char *name)
{
	g_autoptr(GBytes) bytes = bytes_field(file, name);

	return bytes ? test_secret_of(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes))
		     : NULL;
}

static void read_case(GKeyFile *file, Case *c)
{
	g_autofree char *flags = g_key_file_get_string(file, "vector", "flags", NULL);
	g_auto(GStrv) hosts = NULL;
	guint8 scalar[66], point[PVS_POINT_SIZE] = {0};
	g_autofree char *request = g_key_file_get_string(file, "vector", "request", NULL);
	gsize n;

	hosts = g_key_file_get_string_list(file, "vector", "hosts", &n, NULL);
	c->points = g_malloc_n(n, PVS_POINT_SIZE);
	for (gsize i = 0; i < n; i++)
		g_assert_true(pvs_hex_decode(hosts[i], c->points[i], PVS_POINT_SIZE));
	c->input.n_host_points = (guint)n;
	c->input.flags = g_ascii_strtoull(flags, NULL, 16);
	c->input.type = (PvsSecretType)g_key_file_get_integer(file, "vector", "type", NULL);
	g_assert_true(field(file, "pld", c->input.tags.pld, 64) &&
		      field(file, "ald", c->input.tags.ald, 64) &&
		      field(file, "tld", c->input.tags.tld, 64) &&
		      field(file, "tag", c->input.tags.tag, 16) &&
		      field(file, "cuid", c->input.cuid, 16) && field(file, "scalar", scalar, 66) &&
		      field(file, "iv", c->randomness.iv, 12));
	field(file, "id", c->input.id, 32);
	c->secret = secret_field(file, "secret");
	c->cck = secret_field(file, "cck");
	c->extension_secret = secret_field(file, "extension_secret");
	c->randomness.protection_key = secret_field(file, "protection_key");
	c->user_data = bytes_field(file, "user_data");
	/* The customer's point is not an input; it is taken from where it must come out again. */
	request[2 * (0x418 + PVS_POINT_SIZE)] = '\0';
	g_assert_true(pvs_hex_decode(request + 2 * 0x418, point, sizeof point));
	c->randomness.customer_key = test_key_pair(scalar, sizeof scalar, point);
}

/* How the secret came about: from a client's value, or from the master. */
static void check_secret(GKeyFile *file, const char *name, const Case *c)
{
	g_autoptr(GBytes) value = bytes_field(file, "value");
	g_autoptr(PvsSecret) master = secret_field(file, "master");
	g_autoptr(PvsSecret) made = NULL;

	if (value)
		made = pvs_value_stored(c->input.type, g_bytes_get_data(value, NULL),
					g_bytes_get_size(value), NULL);
	else if (master)
		made = pvs_request_derive_association(master, name, NULL);
	else
		return;
	g_assert_cmpmem(made->bytes, made->size, c->secret->bytes, c->secret->size);
}

static void check_vector(const char *path)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *name = NULL;
	g_autofree char *expected = NULL;
	g_autofree char *hex = NULL;
	g_autoptr(GBytes) request = NULL;
	g_auto(Case) c = {.points = NULL};
	guint8 value[8], expected_value[8], id[32];
	gsize size;

	g_test_message("%s", path);
	g_assert_true(g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL));
	read_case(file, &c);
	expected = g_key_file_get_string(file, "vector", "request", NULL);
	request = test_build(&c);
	hex = pvs_hex(g_bytes_get_data(request, &size), g_bytes_get_size(request));
	g_assert_cmpstr(hex, ==, expected);

	name = g_key_file_get_string(file, "vector", "name", NULL);
	if (name) {
		pvs_request_id(name, FALSE, id);
		g_assert_cmpmem(id, 32, c.input.id, 32);
	}
	check_secret(file, name, &c);
	if (field(file, "check_value", expected_value, 8)) {
		g_assert_true(pvs_request_check_value(c.cck, value, NULL));
		g_assert_cmpmem(value, 8, expected_value, 8);
	}
}

static char *vectors_directory(void)
{
	const char *named = g_getenv("PVS_TEST_DATA");
	const char *source = g_getenv("PVS_SRC_DIR");

	if (named)
		return g_strdup(named);
	if (source)
		return g_build_filename(source, "tests", "vectors", NULL);
	return g_test_build_filename(G_TEST_DIST, "tests", "vectors", NULL);
}

static void test_vectors(void)
{
	g_autofree char *path = vectors_directory();
	g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
	const char *name;
	guint n = 0;

	g_assert_nonnull(directory);
	while ((name = g_dir_read_name(directory))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		if (!g_str_has_suffix(name, ".vector"))
			continue;
		check_vector(file);
		n++;
	}
	g_assert_cmpuint(n, >=, 14);
}

/* ---- requests that s390-tools published ---- */

static GBytes *asset(const char *directory, const char *name)
{
	g_autofree char *path =
		g_build_filename(g_getenv("S390_TOOLS_ASSETS"), directory, name, NULL);
	char *data;
	gsize size;

	g_assert_true(g_file_get_contents(path, &data, &size, NULL));
	return g_bytes_new_take(data, size);
}

static void published_case(Case *c, guint hosts)
{
	g_autoptr(GBytes) scalar = asset("keys", "private_cust.bin");
	g_autoptr(GBytes) point = asset("keys", "public_cust.bin");
	g_autoptr(GBytes) pem = asset("keys", "host.pem.crt");
	g_autoptr(BIO) bio =
		BIO_new_mem_buf(g_bytes_get_data(pem, NULL), (int)g_bytes_get_size(pem));
	g_autoptr(X509) certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	c->points = g_malloc_n(hosts, PVS_POINT_SIZE);
	for (guint i = 0; i < hosts; i++)
		g_assert_true(pvs_request_point(X509_get0_pubkey(certificate), c->points[i], NULL));
	c->input.n_host_points = hosts;
	memset(c->input.tags.pld, 1, 64);
	memset(c->input.tags.ald, 2, 64);
	memset(c->input.tags.tld, 3, 64);
	memset(c->input.tags.tag, 4, 16);
	memset(c->randomness.iv, 0x55, 12);
	c->randomness.protection_key = test_filled(0x17);
	c->randomness.customer_key =
		test_key_pair(g_bytes_get_data(scalar, NULL), g_bytes_get_size(scalar),
			      g_bytes_get_data(point, NULL));
}

/* The file's name says what is in it: KIND_EXTENSION_FLAGS_CUID_COUNT. */
static gboolean check_published(const char *name)
{
	g_auto(GStrv) words = g_strsplit(name, "_", -1);
	g_autofree char *directory = g_build_filename("exp", "asrcb", NULL);
	g_autoptr(GBytes) expected = NULL;
	g_autoptr(GBytes) request = NULL;
	g_auto(Case) c = {.points = NULL};

	if (g_strv_length(words) != 5 || (strcmp(words[0], "assoc") && strcmp(words[0], "null")))
		return FALSE;
	g_test_message("%s", name);
	expected = asset(directory, name);
	published_case(&c, strcmp(words[4], "seven") ? 1 : 7);
	c.input.type = PVS_SECRET_NULL;
	if (strcmp(words[0], "assoc") == 0) {
		c.input.type = PVS_SECRET_ASSOCIATION;
		pvs_request_id("add_secret_request", FALSE, c.input.id);
		c.secret = test_filled(0x11);
	}
	if (strcmp(words[1], "simple") == 0)
		c.extension_secret = test_filled(0x17);
	else if (strcmp(words[1], "derived") == 0)
		c.cck = test_filled(0);
	if (strcmp(words[2], "dump") == 0)
		c.input.flags = PVS_FLAG_DISABLE_DUMP;
	if (strcmp(words[3], "cuid") == 0)
		memset(c.input.cuid, 0x42, 16);
	request = test_build(&c);
	g_assert_true(g_bytes_equal(request, expected));
	return TRUE;
}

static void test_published(void)
{
	g_autofree char *path = NULL;
	g_autoptr(GDir) directory = NULL;
	const char *name;
	guint n = 0;

	if (!g_getenv("S390_TOOLS_ASSETS")) {
		g_test_skip("S390_TOOLS_ASSETS is not set");
		return;
	}
	path = g_build_filename(g_getenv("S390_TOOLS_ASSETS"), "exp", "asrcb", NULL);
	directory = g_dir_open(path, 0, NULL);
	g_assert_nonnull(directory);
	while ((name = g_dir_read_name(directory)))
		n += check_published(name);
	g_assert_cmpuint(n, >=, 3);
}

static void test_published_keyslot(void)
{
	g_autoptr(GBytes) expected = NULL;
	g_autoptr(GBytes) request = NULL;
	g_auto(Case) c = {.points = NULL};
	const guint8 *r;

	if (!g_getenv("S390_TOOLS_ASSETS")) {
		g_test_skip("S390_TOOLS_ASSETS is not set");
		return;
	}
	expected = asset("exp", "keyslot.bin");
	published_case(&c, 2);
	c.input.type = PVS_SECRET_NULL;
	request = test_build(&c);
	r = g_bytes_get_data(request, NULL);
	g_assert_cmpmem(r + 0x4b8, 80, g_bytes_get_data(expected, NULL),
			g_bytes_get_size(expected));
	g_assert_cmpmem(r + 0x4b8 + 80, 80, r + 0x4b8, 80);
}

/* ---- refusals ---- */

static void refuses_point(Case *c, PvsError expected)
{
	g_autoptr(GError) error = NULL;
	gsize used = pvs_locked_used();

	c->input.host_points = (const guint8(*)[PVS_POINT_SIZE])c->points;
	g_assert_null(pvs_request_build(&c->input, &c->randomness, &error));
	g_assert_error(error, PVS_ERROR, (gint)expected);
	g_assert_cmpuint(ERR_peek_error(), ==, 0);
	g_assert_cmpuint(pvs_locked_used(), ==, used);
}

/* X plus the prime 2^521 - 1: the same point for who reduces, another PHKH. There is room for it in
 * 66 bytes. */
static void add_prime(guint8 *x)
{
	gint i = 65;

	x[0] = (guint8)(x[0] + 2);
	while (x[i]-- == 0)
		i--;
}

static void spoil(guint8 *point, guint how)
{
	static const gsize flips[] = {0, 13, 80, 93, 14, 79, 94, 159, 40};

	if (how < G_N_ELEMENTS(flips)) {
		point[flips[how]] ^= 1;
		return;
	}
	switch (how - G_N_ELEMENTS(flips)) {
	case 0:
		memset(point, 0, PVS_POINT_SIZE);
		break;
	case 1:
		add_prime(point + 14);
		break;
	case 2:
		add_prime(point + 94);
		break;
	default:
		g_assert_not_reached();
	}
}

static void test_bad_points(void)
{
	guint8 point[PVS_POINT_SIZE];
	g_auto(Case) c = {.points = NULL};
	g_autoptr(GBytes) good = NULL;

	EVP_PKEY_free(test_new_key(point));
	c.points = g_malloc_n(3, PVS_POINT_SIZE);
	c.input.n_host_points = 3;
	c.input.type = PVS_SECRET_NULL;
	g_assert_true(pvs_request_draw(&c.randomness, NULL));
	for (guint how = 0; how < 12; how++)
		for (guint bad = 0; bad < 3; bad++) {
			for (guint i = 0; i < 3; i++)
				memcpy(c.points[i], point, sizeof point);
			spoil(c.points[bad], how);
			refuses_point(&c, PVS_ERROR_HOST_KEY_INVALID);
		}
	for (guint i = 0; i < 3; i++)
		memcpy(c.points[i], point, sizeof point);
	good = test_build(&c);
}

static void build_without_a_secret(void)
{
	g_auto(Case) c = {.points = NULL};

	c.points = g_malloc0(PVS_POINT_SIZE);
	c.input.n_host_points = 1;
	c.input.type = PVS_SECRET_ASSOCIATION;
	g_assert_true(pvs_request_draw(&c.randomness, NULL));
	test_build(&c);
}

static void build_with_both_extension_secrets(void)
{
	g_auto(Case) c = {.points = NULL};

	c.points = g_malloc0(PVS_POINT_SIZE);
	c.input.n_host_points = 1;
	c.input.type = PVS_SECRET_NULL;
	c.cck = test_filled(1);
	c.extension_secret = test_filled(1);
	g_assert_true(pvs_request_draw(&c.randomness, NULL));
	test_build(&c);
}

static void build_for_nobody(void)
{
	g_auto(Case) c = {.points = NULL};

	c.points = g_malloc0(PVS_POINT_SIZE);
	c.input.type = PVS_SECRET_NULL;
	g_assert_true(pvs_request_draw(&c.randomness, NULL));
	test_build(&c);
}

static void build_with_a_short_cck(void)
{
	g_auto(Case) c = {.points = NULL};

	c.points = g_malloc0(PVS_POINT_SIZE);
	c.input.n_host_points = 1;
	c.input.type = PVS_SECRET_NULL;
	c.cck = pvs_secret_new(31);
	g_assert_true(pvs_request_draw(&c.randomness, NULL));
	test_build(&c);
}

static void test_callers_mistakes(gconstpointer data)
{
	if (g_getenv("PVS_EMULATOR")) {
		g_test_skip("an emulated program cannot start itself");
		return;
	}
	if (g_test_subprocess()) {
		((void (*)(void))data)();
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_failed();
	g_test_trap_assert_stderr("*assertion failed*");
}

/* ---- the pieces ---- */

static void test_derivation(void)
{
	for (guint i = 0; i < 50; i++) {
		g_autoptr(PvsSecret) cck = pvs_secret_new(32);
		g_autoptr(PvsSecret) derived = NULL;
		guint8 tag[16], expected[32], value[8];

		test_random_bytes(cck->bytes, 32);
		test_random_bytes(tag, sizeof tag);
		derived = pvs_request_derive_extension_secret(cck, tag, NULL);
		g_assert_true(pvs_locked_owns(derived));
		test_hkdf512(cck->bytes, tag, 16, "IBM Z Ultravisor Add-Secret", expected, 32);
		g_assert_cmpmem(derived->bytes, derived->size, expected, 32);
		g_assert_true(pvs_request_check_value(cck, value, NULL));
		test_hkdf512(cck->bytes, NULL, 0, "pvsecretd check value", expected, 8);
		g_assert_cmpmem(value, 8, expected, 8);
	}
}

static void test_id(void)
{
	static const struct {
		const char *name;
		const char *hash;
	} cases[] = {
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	};
	g_autofree char *longest = g_strnfill(4096, 'n');
	guint8 id[32], expected[32];

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		pvs_request_id(cases[i].name, FALSE, id);
		g_assert_true(pvs_hex_decode(cases[i].hash, expected, 32));
		g_assert_cmpmem(id, 32, expected, 32);
	}
	pvs_request_id(longest, FALSE, id);
	test_sha256((const guint8 *)longest, 4096, expected);
	g_assert_cmpmem(id, 32, expected, 32);
}

static void test_draw_is_fresh(void)
{
	enum { N = 100 };
	guint8 seen[N][12 + 32 + PVS_POINT_SIZE];

	for (guint i = 0; i < N; i++) {
		g_auto(PvsRequestRandomness) r = {0};

		g_assert_true(pvs_request_draw(&r, NULL));
		g_assert_true(pvs_locked_owns(r.protection_key));
		memcpy(seen[i], r.iv, 12);
		memcpy(seen[i] + 12, r.protection_key->bytes, 32);
		g_assert_true(pvs_request_point(r.customer_key, seen[i] + 44, NULL));
		for (guint j = 0; j < i; j++) {
			g_assert_true(memcmp(seen[i], seen[j], 12) != 0);
			g_assert_true(memcmp(seen[i] + 12, seen[j] + 12, 32) != 0);
			g_assert_true(memcmp(seen[i] + 44, seen[j] + 44, 160) != 0);
		}
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	test_arena_init();

	g_test_add_func("/request/vectors", test_vectors);
	g_test_add_func("/request/published", test_published);
	g_test_add_func("/request/published-keyslot", test_published_keyslot);
	g_test_add_func("/request/bad-points", test_bad_points);
	g_test_add_data_func("/request/mistake/no-secret", build_without_a_secret,
			     test_callers_mistakes);
	g_test_add_data_func("/request/mistake/two-extension-secrets",
			     build_with_both_extension_secrets, test_callers_mistakes);
	g_test_add_data_func("/request/mistake/no-host", build_for_nobody, test_callers_mistakes);
	g_test_add_data_func("/request/mistake/short-cck", build_with_a_short_cck,
			     test_callers_mistakes);
	g_test_add_func("/request/derivation", test_derivation);
	g_test_add_func("/request/id", test_id);
	g_test_add_func("/request/draw-is-fresh", test_draw_is_fresh);
	return g_test_run();
}
