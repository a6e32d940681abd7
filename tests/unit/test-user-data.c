/* SPDX-License-Identifier: MIT */
/*
 * test-user-data.c - the signature of a request's user data: what holds, and what does not
 */
#include <string.h>

#include <openssl/rsa.h>

#include "daemon/trust/user-data.h"
#include "protocol/error.h"
#include "tests/unit/plain-request.h"

static const struct {
	const char *type;
	guint bits;
	const char *curve;
	PvsUserDataType kind;
	gsize part;
} kinds[] = {
	{"EC", 521, "P-521", PVS_USER_DATA_EC_SECP521R1, 256},
	{"RSA", 2048, NULL, PVS_USER_DATA_RSA_2048, 256},
	{"RSA", 3072, NULL, PVS_USER_DATA_RSA_3072, 128},
};
enum { KINDS = G_N_ELEMENTS(kinds) };

static EVP_PKEY *keys[KINDS];
static GBytes *certs[KINDS];

static GByteArray *signed_request(guint kind, int salt)
{
	const PlainRequest what = {.user_data = kinds[kind].kind,
				   .keyslots = 1,
				   .secret_type = PVS_SECRET_ASSOCIATION,
				   .secret_length = 32};
	GByteArray *request = plain_request(&what);

	plain_request_sign(request, keys[kind], salt);
	return request;
}

/* 0: it holds. Else the error's row. */
static int check(const guint8 *data, gsize size, GBytes *cert, PvsChecked *checked)
{
	g_autoptr(GBytes) request = g_bytes_new(data, size);
	const PvsCheck body = {request, cert};
	g_autoptr(GError) error = NULL;

	memset(checked, 0, sizeof *checked);
	if (pvs_user_data_check(&body, checked, &error))
		return 0;
	g_assert_true(error->domain == PVS_ERROR);
	g_assert_null(checked->user_data);
	return error->code;
}

static int check_only(const GByteArray *request, GBytes *cert)
{
	g_auto(PvsChecked) checked = {0};

	return check(request->data, request->len, cert, &checked);
}

static void test_holds(void)
{
	for (guint i = 0; i < KINDS; i++) {
		static const int salts[] = {RSA_PSS_SALTLEN_MAX, RSA_PSS_SALTLEN_DIGEST, 0};

		for (gsize s = 0; s < (kinds[i].curve ? 1 : G_N_ELEMENTS(salts)); s++) {
			g_autoptr(GByteArray) request = signed_request(i, salts[s]);
			g_auto(PvsChecked) checked = {0};
			guint8 wanted[512] = {0};

			memset(wanted, 'u', 100);
			g_assert_cmpint(check(request->data, request->len, certs[i], &checked), ==,
					0);
			g_assert_cmpuint(checked.type, ==, (guint)kinds[i].kind);
			g_assert_cmpmem(g_bytes_get_data(checked.user_data, NULL),
					g_bytes_get_size(checked.user_data), wanted, kinds[i].part);
		}
	}
}

static void test_other_certificate(void)
{
	g_autoptr(GByteArray) request = signed_request(0, RSA_PSS_SALTLEN_MAX);
	g_autoptr(GBytes) nothing = g_bytes_new_static("nothing", 7);
	const struct {
		const char *type;
		guint bits;
		const char *curve;
		int expected;
	} rows[] = {
		{"EC", 0, "P-521", PVS_ERROR_USER_SIGNATURE},
		{"EC", 0, "P-384", PVS_ERROR_USER_CERT_KEY},
		{"RSA", 2048, NULL, PVS_ERROR_USER_CERT_KEY},
		{"RSA", 1024, NULL, PVS_ERROR_USER_CERT_KEY},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		EVP_PKEY *key = plain_key(rows[i].type, rows[i].bits, rows[i].curve);
		g_autoptr(GBytes) cert = plain_certificate(key, i % 2);

		EVP_PKEY_free(key);
		g_assert_cmpint(check_only(request, cert), ==, rows[i].expected);
	}
	g_assert_cmpint(check_only(request, certs[1]), ==, PVS_ERROR_USER_CERT_KEY);
	g_assert_cmpint(check_only(request, nothing), ==, PVS_ERROR_USER_CERT_FORMAT);
	g_assert_cmpint(check_only(request, NULL), ==, PVS_ERROR_USER_CERT_MISSING);
}

/* Every bit but those of the tag, which nobody here can check. */
static void test_every_bit(void)
{
	/* Under an emulator one of each byte: there a signature takes long. */
	gboolean few = g_getenv("PVS_EMULATOR") != NULL;

	for (guint i = 0; i < KINDS; i++) {
		g_autoptr(GByteArray) request = signed_request(i, RSA_PSS_SALTLEN_MAX);

		for (guint at = 0; at < request->len - PVS_TAG_SIZE; at++)
			for (guint bit = 0; bit < 8; bit++) {
				if (few && bit != at % 8)
					continue;
				request->data[at] ^= (guint8)(1 << bit);
				if (check_only(request, certs[i]) == 0)
					g_error("kind %u: bit %u of byte 0x%x is not noticed", i,
						bit, at);
				request->data[at] ^= (guint8)(1 << bit);
			}
		g_assert_cmpint(check_only(request, certs[i]), ==, 0);
		for (guint at = request->len - PVS_TAG_SIZE; at < request->len; at++) {
			request->data[at] ^= 1;
			g_assert_cmpint(check_only(request, certs[i]), ==, 0);
		}
	}
}

static void test_not_whole(void)
{
	for (guint i = 0; i < KINDS; i++) {
		g_autoptr(GByteArray) request = signed_request(i, RSA_PSS_SALTLEN_MAX);
		g_auto(PvsChecked) checked = {0};

		for (gsize size = 0; size < request->len; size++)
			g_assert_cmpint(check(request->data, size, certs[i], &checked), ==,
					PVS_ERROR_PARAM_REQUEST);
		g_byte_array_append(request, (const guint8 *)"", 1);
		g_assert_cmpint(check_only(request, certs[i]), ==, PVS_ERROR_PARAM_REQUEST);
	}
}

/* The signature's length, said to be something else. */
static void test_ec_length(void)
{
	g_autoptr(GByteArray) request = signed_request(0, 0);
	guint8 *place = request->data + offsetof(PvsRequestHead, user_data) + 256;
	guint right = (guint)place[144] << 8 | place[145];

	for (guint length = 0; length < 0x200; length++) {
		place[144] = (guint8)(length >> 8);
		place[145] = (guint8)length;
		g_assert_cmpint(check_only(request, certs[0]) == 0, ==, length == right);
	}
	place[144] = place[145] = 0xff;
	g_assert_cmpint(check_only(request, certs[0]), ==, PVS_ERROR_USER_SIGNATURE);
}

static void test_unsigned(void)
{
	const PlainRequest none = {.keyslots = 1, .secret_type = PVS_SECRET_NULL};
	const PlainRequest plain = {
		.user_data = PVS_USER_DATA_UNSIGNED, .keyslots = 2, .secret_type = PVS_SECRET_NULL};
	g_autoptr(GByteArray) without = plain_request(&none), with = plain_request(&plain);
	g_autoptr(GBytes) nothing = g_bytes_new_static("nothing", 7);
	g_auto(PvsChecked) checked = {0};

	g_assert_cmpint(check(with->data, with->len, NULL, &checked), ==, 0);
	g_assert_cmpuint(checked.type, ==, PVS_USER_DATA_UNSIGNED);
	g_assert_cmpmem(g_bytes_get_data(checked.user_data, NULL),
			g_bytes_get_size(checked.user_data),
			with->data + offsetof(PvsRequestHead, user_data), 512);
	pvs_checked_clear(&checked);
	g_assert_cmpint(check_only(with, certs[0]), ==, PVS_ERROR_USER_DATA_UNSIGNED);
	/* Nothing to verify: as pvsecret, but what is given for a certificate must be one. */
	g_assert_cmpint(check(without->data, without->len, certs[0], &checked), ==, 0);
	g_assert_cmpuint(checked.type, ==, PVS_USER_DATA_NONE);
	g_assert_null(checked.user_data);
	g_assert_cmpint(check_only(without, nothing), ==, PVS_ERROR_USER_CERT_FORMAT);
	without->data[offsetof(PvsRequestHead, user_data) + 511] = 1;
	g_assert_cmpint(check_only(without, NULL), ==, PVS_ERROR_PARAM_REQUEST);
}

static void test_warm_up(void)
{
	g_assert_true(pvs_user_data_warm_up());
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < KINDS; i++) {
		keys[i] = plain_key(kinds[i].type, kinds[i].bits, kinds[i].curve);
		certs[i] = plain_certificate(keys[i], i == 1);
	}
	g_test_add_func("/user-data/holds", test_holds);
	g_test_add_func("/user-data/other-certificate", test_other_certificate);
	g_test_add_func("/user-data/every-bit", test_every_bit);
	g_test_add_func("/user-data/not-whole", test_not_whole);
	g_test_add_func("/user-data/ec-length", test_ec_length);
	g_test_add_func("/user-data/unsigned", test_unsigned);
	g_test_add_func("/user-data/warm-up", test_warm_up);
	status = g_test_run();
	for (guint i = 0; i < KINDS; i++) {
		EVP_PKEY_free(keys[i]);
		g_bytes_unref(certs[i]);
	}
	return status;
}
