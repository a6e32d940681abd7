/* SPDX-License-Identifier: MIT */
/*
 * bench-request.c - what building a request costs beyond the cryptography in it
 *
 * Compares pvs_request_draw() and pvs_request_build() with the operations that no request can do
 * without, called barely, in the same process with the same memory: a P-521 key pair and its public
 * key as bytes, for each host one ECDH, one SHA-256 and one AES-256-GCM, then HKDF and AES-256-GCM.
 *The ratio does not depend on the machine; it is 1 where there is nothing left to gain.
 *
 *	bench-request [--csv] [--seconds=N] [--threads=N]
 *
 * Last come requests each second on 1 to N threads (the processors), with one host key.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/rand.h>

#include "daemon/vault/crypto.h"
#include "daemon/vault/request.h"

enum { HOSTS_MAX = 20, REQUEST_SIZE = 0x4b8 + 48 + 64 + 16 };

static double seconds = 2;
static guint8 points[HOSTS_MAX][PVS_POINT_SIZE];
static EVP_PKEY *peers[HOSTS_MAX];
static PvsSecret *cck, *secret;

static void must(gboolean good, const char *what)
{
	if (!good)
		g_error("%s failed", what);
}

/* ---- the two sides ---- */

static void build(guint hosts)
{
	g_auto(PvsRequestRandomness) randomness = {.customer_key = NULL};
	PvsRequestInput input = {
		.host_points = (const guint8(*)[PVS_POINT_SIZE])points,
		.n_host_points = hosts,
		.type = PVS_SECRET_ASSOCIATION,
		.secret = secret,
		.cck = cck,
	};
	g_autoptr(GBytes) request = NULL;

	must(pvs_request_draw(&randomness, NULL), "drawing");
	request = pvs_request_build(&input, &randomness, NULL);
	must(request != NULL, "building");
}

static void encrypt(const guint8 *key, const guint8 *aad, int aad_size, const guint8 *plain,
		    int size)
{
	g_autoptr(EVP_CIPHER_CTX) context = EVP_CIPHER_CTX_new();
	static const guint8 iv[PVS_IV_SIZE];
	guint8 out[64], tag[PVS_TAG_SIZE];
	int n;

	must(EVP_EncryptInit_ex2(context, pvs_crypto()->aes_256_gcm, key, iv, NULL) == 1 &&
		     (aad_size == 0 || EVP_EncryptUpdate(context, NULL, &n, aad, aad_size) == 1) &&
		     EVP_EncryptUpdate(context, out, &n, plain, size) == 1 &&
		     EVP_EncryptFinal_ex(context, out, &n) == 1 &&
		     EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, PVS_TAG_SIZE, tag) == 1,
	     "AES-256-GCM");
}

static void derive(const guint8 *salt, guint8 out[32])
{
	static char digest[] = "SHA2-512", info[] = "IBM Z Ultravisor Add-Secret";
	g_autoptr(EVP_KDF_CTX) context = EVP_KDF_CTX_new(pvs_crypto()->hkdf);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, cck->bytes, cck->size),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, 16),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, sizeof info - 1),
		OSSL_PARAM_construct_end(),
	};

	must(EVP_KDF_derive(context, out, 32, params) == 1, "HKDF");
}

static void bare(guint hosts)
{
	static const guint8 aad[REQUEST_SIZE + HOSTS_MAX * 80];
	g_autoptr(EVP_PKEY) customer = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
	g_autoptr(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_pkey(NULL, customer, NULL);
	guint8 derived[32];
	guint8 key[32], z[PVS_COORDINATE_SIZE], point[PVS_ENCODED_POINT_SIZE];
	gsize point_size;

	must(RAND_priv_bytes(key, sizeof key) == 1 && EVP_PKEY_derive_init(context) == 1 &&
		     EVP_PKEY_get_octet_string_param(customer, "pub", point, sizeof point,
						     &point_size) == 1,
	     "start");
	for (guint i = 0; i < hosts; i++) {
		gsize size = sizeof z;

		must(EVP_PKEY_derive_set_peer_ex(context, peers[i], 0) == 1 &&
			     EVP_PKEY_derive(context, z, &size) == 1 &&
			     EVP_Digest(z, size, key, NULL, pvs_crypto()->sha256, NULL) == 1,
		     "ECDH");
		encrypt(key, NULL, 0, key, 32);
	}
	derive(aad, derived);
	encrypt(key, aad, (int)(0x4b8 + 80 * hosts + 48), derived, sizeof derived);
}

/* ---- measuring ---- */

/* Microseconds for one, the least of several rounds: what else ran meanwhile only adds. */
static double least(void (*function)(guint), guint hosts, double best, guint rounds)
{
	gint64 start = g_get_monotonic_time();
	double each;

	for (guint i = 0; i < rounds; i++)
		function(hosts);
	each = (double)(g_get_monotonic_time() - start) / rounds;
	return best == 0 || each < best ? each : best;
}

static void compare(guint hosts, gboolean csv)
{
	gint64 end = g_get_monotonic_time() + (gint64)(seconds * 1e6);
	guint rounds = MAX(100 / (hosts + 1), 5);
	double ours = 0, theirs = 0;

	/* In turns, so that what the machine does hits both. */
	do {
		theirs = least(bare, hosts, theirs, rounds);
		ours = least(build, hosts, ours, rounds);
	} while (g_get_monotonic_time() < end);
	if (csv)
		g_print("ratio-%u-hosts,%.3f\n", hosts, ours / theirs);
	else
		g_print("%2u host key%s  %7.1f us, bare operations %7.1f us, ratio %.3f\n", hosts,
			hosts == 1 ? ": " : "s:", ours, theirs, ours / theirs);
}

static gint stop, built;

static gpointer build_until_stopped(gpointer data)
{
	gint n = 0;

	for (; !g_atomic_int_get(&stop); n++)
		build(1);
	g_atomic_int_add(&built, n);
	return data;
}

static double throughput(guint n)
{
	g_autofree GThread **threads = g_new(GThread *, n);
	gint64 start = g_get_monotonic_time();

	g_atomic_int_set(&stop, 0);
	g_atomic_int_set(&built, 0);
	for (guint i = 0; i < n; i++)
		threads[i] = g_thread_new("build", build_until_stopped, NULL);
	g_usleep((gulong)(seconds * 1e6));
	g_atomic_int_set(&stop, 1);
	for (guint i = 0; i < n; i++)
		g_thread_join(threads[i]);
	return g_atomic_int_get(&built) * 1e6 / (double)(g_get_monotonic_time() - start);
}

static void scale(guint most, gboolean csv)
{
	double one = 0;

	for (guint n = 1; n <= most; n++) {
		gsize used = pvs_locked_used();
		double each_second = throughput(n);

		one = n == 1 ? each_second : one;
		if (csv)
			g_print("threads-%u,%.0f\n", n, each_second);
		else
			g_print("%2u thread%s   %7.0f requests/s, %.2f times one; key memory: %zu "
				"KiB "
				"at rest, %zu at most\n",
				n, n == 1 ? ": " : "s:", each_second, each_second / one,
				used / 1024, pvs_locked_peak() / 1024);
	}
}

int main(int argc, char **argv)
{
	static const guint hosts[] = {1, 2, 20};
	gboolean csv = FALSE;
	gint threads = (gint)g_get_num_processors();
	const GOptionEntry options[] = {
		{"csv", 0, 0, G_OPTION_ARG_NONE, &csv, "name,value lines", NULL},
		{"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds, "for each measurement", "N"},
		{"threads", 0, 0, G_OPTION_ARG_INT, &threads, "at most", "N"},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;

	g_option_context_add_main_entries(context, options, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		g_printerr("%s\n", error->message);
		return 2;
	}
	must(pvs_locked_init(PVS_LOCKED_MAX, NULL) && pvs_locked_openssl(NULL) &&
		     pvs_crypto_init(NULL),
	     "preparing");
	cck = pvs_secret_new(32);
	secret = pvs_secret_new(32);
	must(cck && secret && RAND_priv_bytes(cck->bytes, 32) == 1 &&
		     RAND_priv_bytes(secret->bytes, 32) == 1,
	     "drawing secrets");
	for (guint i = 0; i < HOSTS_MAX; i++) {
		peers[i] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
		must(peers[i] && pvs_request_point(peers[i], points[i], NULL), "drawing hosts");
	}
	for (guint i = 0; i < G_N_ELEMENTS(hosts); i++)
		compare(hosts[i], csv);
	if (threads > 0)
		scale((guint)threads, csv);
	return EXIT_SUCCESS;
}
