/* SPDX-License-Identifier: MIT */
/*
 * test-verdict.c - host-key documents: right in everything, or wrong in one thing
 *
 * What is installed is as it should be; the document is changed. A case that is refused is refused
 * for its own reason, and beside each stands the good one that differs in nothing else.
 */
#include "daemon/trust/verdict.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "tests/unit/trust-world.h"

static EVP_PKEY *stranger; /* RSA-4096, nobody's */

/* ---- what is accepted ---- */

static void test_good(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(X509) host = pvs_pki_host(world_pki, world_host_key);
	g_autoptr(GBytes) der = pvs_pki_der(host);
	g_autoptr(GError) error = NULL;
	g_autoptr(PvsVerdict) pem_verdict = world_judge_cert(world, host, &error);
	g_autoptr(PvsVerdict) der_verdict = world_judge(world, der, &error);
	static const char *const roles[] = {"host-key", "signing-key", "intermediate", "root",
					    "crl",	"crl",	       "crl",	       "crl"};
	guint8 *point = NULL;
	gsize size = EVP_PKEY_get1_encoded_public_key(world_host_key, &point);

	g_assert_no_error(error);
	g_assert_cmpmem(pem_verdict->phkh, PVS_PHKH_SIZE, der_verdict->phkh, PVS_PHKH_SIZE);
	g_assert_true(g_bytes_equal(pem_verdict->tbs, der_verdict->tbs));
	/* X and Y, each left-padded to 80 bytes. */
	g_assert_cmpuint(size, ==, 133);
	for (gsize i = 0; i < 2; i++) {
		const guint8 *half = der_verdict->point + i * PVS_POINT_SIZE / 2;

		for (gsize pad = 0; pad < 14; pad++)
			g_assert_cmpint(half[pad], ==, 0);
		g_assert_cmpmem(half + 14, 66, point + 1 + i * 66, 66);
	}
	OPENSSL_free(point);
	g_assert_nonnull(strstr(der_verdict->subject, "OU="));
	g_assert_cmpint(der_verdict->algorithm, ==, PVS_SIGNATURE_RSA_SHA512);
	g_assert_cmpuint(der_verdict->links->len, >=, 7);
	g_assert_cmpuint(der_verdict->links->len, <=, G_N_ELEMENTS(roles));
	for (guint i = 0; i < der_verdict->links->len; i++) {
		const PvsLink *link = der_verdict->links->pdata[i];

		g_assert_cmpstr(link->role, ==, roles[i]);
		g_assert_true(*link->subject != '\0');
		g_assert_cmpint(link->from, <, link->until);
	}
}

/* The verdict's bytes are what the signature is over, and the signature is over them. */
static void test_signed_bytes(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(X509) host = pvs_pki_host(world_pki, world_host_key);
	g_autoptr(PvsVerdict) verdict = world_judge_cert(world, host, NULL);
	g_autoptr(EVP_MD_CTX) md = EVP_MD_CTX_new();

	g_assert_nonnull(verdict);
	g_assert_cmpint(EVP_DigestVerifyInit(md, NULL, EVP_sha512(), NULL, world_pki->signing_key),
			==, 1);
	g_assert_cmpint(EVP_DigestVerify(md, g_bytes_get_data(verdict->signature, NULL),
					 g_bytes_get_size(verdict->signature),
					 g_bytes_get_data(verdict->tbs, NULL),
					 g_bytes_get_size(verdict->tbs)),
			==, 1);
}

/* It lasts as long as the first of all that it rests on. */
static void test_until(void)
{
	const gint64 year = WORLD_YEAR;
	static const gint64 days[] = {20, 30, 40, 50, 60, 70, 80};
	enum { HOST, SIGNING, INTER, ROOT, SIGNING_CRL, INTER_CRL, ROOT_CRL };

	for (guint first = HOST; first <= ROOT_CRL; first++) {
		g_autoptr(World) world = world_new();
		g_autoptr(GError) error = NULL;
		g_autoptr(PvsVerdict) verdict = NULL;
		g_autoptr(X509) cert = NULL;
		PvsPkiCert host = world_host_spec(), signing = world_signing_spec();
		PvsPkiCert inter = world_inter_spec(), root = world_root_spec();
		PvsPkiCrl signing_crl = world_signing_crl_spec();
		PvsPkiCrl inter_crl = world_inter_crl_spec(), root_crl = world_root_crl_spec();
		PvsPkiCert *certs[] = {&host, &signing, &inter, &root};
		PvsPkiCrl *crls[] = {&signing_crl, &inter_crl, &root_crl};
		gint64 end = days[first] * WORLD_DAY, start = -(gint64)days[first];

		for (gsize i = 0; i < G_N_ELEMENTS(certs); i++) {
			certs[i]->from = i == first ? start : -year;
			certs[i]->until = i == first ? end : year;
		}
		for (gsize i = 0; i < G_N_ELEMENTS(crls); i++) {
			crls[i]->from = i + SIGNING_CRL == first ? start : -year;
			crls[i]->until = i + SIGNING_CRL == first ? end : year;
		}
		world_put_cert_of(world, "trust.d/signing.crt", &signing);
		world_put_cert_of(world, "trust.d/inter.crt", &inter);
		world_put_cert_of(world, "root.crt", &root);
		world_put_crl_of(world, "trust.d/signing.crl", &signing_crl);
		world_put_crl_of(world, "trust.d/inter.crl", &inter_crl);
		world_put_crl_of(world, "trust.d/root.crl", &root_crl);
		cert = pvs_pki_cert(&host);
		verdict = world_judge_cert(world, cert, &error);
		g_assert_no_error(error);
		g_assert_cmpint(verdict->until, ==, WORLD_NOW + end);
		g_assert_cmpint(verdict->from, ==, WORLD_NOW + start);
		/* And not a second longer. */
		world->now = WORLD_NOW + end - 1;
		world_accepts(world, cert);
		world->now = WORLD_NOW + end;
		pvs_verdict_unref(g_steal_pointer(&verdict));
		verdict = world_judge_cert(world, cert, &error);
		g_assert_null(verdict);
		g_assert_nonnull(error);
	}
}

/* ---- the document's own mistakes ---- */

typedef void (*Change)(PvsPkiCert *spec);

static void issuer_differs(PvsPkiCert *spec)
{
	spec->issuer_name =
		"C=US/" PVS_PKI_IBM "/ST=New York/L=Poughkeepsie/OU=IBM Y Host Key Signing Service";
}

static void issuer_differs_without_akid(PvsPkiCert *spec)
{
	issuer_differs(spec);
	spec->no_akid = TRUE;
}

static void akid_differs(PvsPkiCert *spec)
{
	spec->akid_hex = "00112233445566778899aabbccddeeff00112233";
}

static void no_akid(PvsPkiCert *spec)
{
	spec->no_akid = TRUE;
}

static void signed_by_a_stranger(PvsPkiCert *spec)
{
	spec->issuer_key = stranger;
}

static void signed_by_itself(PvsPkiCert *spec)
{
	spec->issuer_key = spec->key;
}

static void signed_by_the_intermediate(PvsPkiCert *spec)
{
	spec->issuer = world_pki->inter;
	spec->issuer_key = world_pki->inter_key;
}

static void sha1(PvsPkiCert *spec)
{
	spec->digest = EVP_sha1();
}

static void sha224(PvsPkiCert *spec)
{
	spec->digest = EVP_sha224();
}

static void sha256(PvsPkiCert *spec)
{
	spec->digest = EVP_sha256();
}

static void sha384(PvsPkiCert *spec)
{
	spec->digest = EVP_sha384();
}

static void pss(PvsPkiCert *spec)
{
	spec->pss = TRUE;
}

static void is_ca(PvsPkiCert *spec)
{
	spec->ca = TRUE;
}

static void critical(PvsPkiCert *spec)
{
	spec->critical = TRUE;
}

static void known_critical(PvsPkiCert *spec)
{
	static const char *const extensions[] = {"extendedKeyUsage=critical,serverAuth", NULL};

	spec->extensions = extensions;
}

static void unknown_extension(PvsPkiCert *spec)
{
	static const char *const extensions[] = {"2.999.7=DER:0500", NULL};

	spec->extensions = extensions;
}

static void version_1(PvsPkiCert *spec)
{
	spec->version = 1;
	spec->no_akid = spec->no_skid = TRUE;
	spec->key_usage = "";
}

static void expired(PvsPkiCert *spec)
{
	spec->from = -WORLD_YEAR;
	spec->until = -1;
}

static void expires_now(PvsPkiCert *spec)
{
	spec->from = -WORLD_YEAR;
	spec->until = 0;
}

static void expires_in_a_second(PvsPkiCert *spec)
{
	spec->from = -WORLD_YEAR;
	spec->until = 1;
}

static void begins_now(PvsPkiCert *spec)
{
	spec->from = 0;
	spec->until = WORLD_YEAR;
}

static void begins_in_a_second(PvsPkiCert *spec)
{
	spec->from = 1;
	spec->until = WORLD_YEAR;
}

/* Two mistakes: which one is said. */
static void expired_and_a_strangers(PvsPkiCert *spec)
{
	expired(spec);
	signed_by_a_stranger(spec);
}

static void ca_and_critical(PvsPkiCert *spec)
{
	is_ca(spec);
	critical(spec);
}

static void weak_and_a_strangers(PvsPkiCert *spec)
{
	sha1(spec);
	signed_by_a_stranger(spec);
}

#define GOOD PVS_ERROR_LAST_

static void test_documents(void)
{
	static const struct {
		const char *name;
		Change change;
		PvsError error;
	} cases[] = {
		{"no key id", no_akid, GOOD},
		{"SHA-256", sha256, GOOD},
		{"SHA-384", sha384, GOOD},
		{"a critical extension that is known", known_critical, GOOD},
		{"an extension that is not known", unknown_extension, GOOD},
		{"expires in a second", expires_in_a_second, GOOD},
		{"begins now", begins_now, GOOD},
		{"issuer", issuer_differs, PVS_ERROR_HOST_KEY_ISSUER},
		{"issuer, no key id", issuer_differs_without_akid,
		 PVS_ERROR_HOST_KEY_NO_SIGNING_KEY},
		{"key id", akid_differs, PVS_ERROR_HOST_KEY_AKID},
		{"a stranger's", signed_by_a_stranger, PVS_ERROR_HOST_KEY_SIGNATURE},
		{"its own signature", signed_by_itself, PVS_ERROR_HOST_KEY_SIGNATURE},
		{"the intermediate's", signed_by_the_intermediate,
		 PVS_ERROR_HOST_KEY_NO_SIGNING_KEY},
		{"SHA-1", sha1, PVS_ERROR_HOST_KEY_WEAK},
		{"SHA-224", sha224, PVS_ERROR_HOST_KEY_WEAK},
		{"PSS", pss, PVS_ERROR_HOST_KEY_WEAK},
		{"CA", is_ca, PVS_ERROR_HOST_KEY_IS_CA},
		{"critical extension", critical, PVS_ERROR_HOST_KEY_CRITICAL},
		{"version 1", version_1, PVS_ERROR_HOST_KEY_FORMAT},
		{"expired", expired, PVS_ERROR_HOST_KEY_EXPIRED},
		{"expires now", expires_now, PVS_ERROR_HOST_KEY_EXPIRED},
		{"begins in a second", begins_in_a_second, PVS_ERROR_HOST_KEY_NOT_YET},
		{"expired and a stranger's", expired_and_a_strangers, PVS_ERROR_HOST_KEY_SIGNATURE},
		{"a CA and critical", ca_and_critical, PVS_ERROR_HOST_KEY_IS_CA},
		{"weak and a stranger's", weak_and_a_strangers, PVS_ERROR_HOST_KEY_WEAK},
	};
	g_autoptr(World) world = world_new();

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		PvsPkiCert spec = world_host_spec();
		g_autoptr(X509) host = NULL;

		g_test_message("%s", cases[i].name);
		cases[i].change(&spec);
		host = pvs_pki_cert(&spec);
		if (cases[i].error == GOOD)
			world_accepts(world, host);
		else
			world_refuses(world, host, cases[i].error);
	}
}

/* ---- keys ---- */

static void test_keys(void)
{
	static const struct {
		const char *curve; /* NULL: RSA; in brackets: its parameters, not its name */
		PvsError error;
	} cases[] = {
		{"P-521", GOOD},
		{NULL, PVS_ERROR_HOST_KEY_TYPE},
		{"P-256", PVS_ERROR_HOST_KEY_TYPE},
		{"P-384", PVS_ERROR_HOST_KEY_TYPE},
		{"secp256k1", PVS_ERROR_HOST_KEY_TYPE},
		{"brainpoolP512r1", PVS_ERROR_HOST_KEY_TYPE},
		{"(P-521", PVS_ERROR_HOST_KEY_TYPE},
	};
	g_autoptr(World) world = world_new();

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *curve = cases[i].curve;
		PvsPkiCert spec = world_host_spec();
		EVP_PKEY *key = !curve		? pvs_pki_rsa(3072)
				: *curve == '(' ? pvs_pki_ec_explicit(curve + 1)
						: pvs_pki_ec(curve);
		g_autoptr(X509) host = NULL;

		g_test_message("%s", curve ? curve : "RSA");
		spec.key = key;
		host = pvs_pki_cert(&spec);
		if (cases[i].error == GOOD)
			world_accepts(world, host);
		else
			world_refuses(world, host, cases[i].error);
		EVP_PKEY_free(key);
	}
}

/* The point, in every form that is none. */
static void test_points(void)
{
	enum { SIZE = 133, HALF = 66 };
	g_autoptr(World) world = world_new();
	guint8 *good = NULL, point[SIZE + 1] = {0};
	static const struct {
		const char *name;
		gsize size;
		int first; /* -1: as it is */
		int at;	   /* 0: none */
		guint8 flip;
		PvsError error;
	} cases[] = {
		{"good", SIZE, -1, 0, 0, GOOD},
		{"infinity", 1, 0, 0, 0, PVS_ERROR_HOST_KEY_INVALID},
		{"infinity, of full length", SIZE, 0, 0, 0, PVS_ERROR_HOST_KEY_INVALID},
		{"compressed, even", 1 + HALF, 2, 0, 0, PVS_ERROR_HOST_KEY_INVALID},
		{"compressed, odd", 1 + HALF, 3, 0, 0, PVS_ERROR_HOST_KEY_INVALID},
		{"hybrid, even", SIZE, 6, 0, 0, PVS_ERROR_HOST_KEY_INVALID},
		{"hybrid, odd", SIZE, 7, 0, 0, PVS_ERROR_HOST_KEY_INVALID},
		{"of no form", SIZE, 5, 0, 0, PVS_ERROR_HOST_KEY_INVALID},
		{"a byte short", SIZE - 1, -1, 0, 0, PVS_ERROR_HOST_KEY_INVALID},
		{"a byte long", SIZE + 1, -1, 0, 0, PVS_ERROR_HOST_KEY_INVALID},
		{"nothing", 0, -1, 0, 0, PVS_ERROR_HOST_KEY_INVALID},
		{"x off by a bit", SIZE, -1, 40, 1, PVS_ERROR_HOST_KEY_INVALID},
		{"y off by a bit", SIZE, -1, 132, 1, PVS_ERROR_HOST_KEY_INVALID},
		{"x over the field", SIZE, -1, 1, 0xfe, PVS_ERROR_HOST_KEY_INVALID},
		{"y over the field", SIZE, -1, 67, 0xfe, PVS_ERROR_HOST_KEY_INVALID},
	};

	g_assert_cmpuint(EVP_PKEY_get1_encoded_public_key(world_host_key, &good), ==, SIZE);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		PvsPkiCert spec = world_host_spec();
		g_autoptr(X509) host = NULL;
		g_autoptr(GBytes) bytes = NULL;

		g_test_message("%s", cases[i].name);
		memcpy(point, good, SIZE);
		if (cases[i].first >= 0)
			point[0] = (guint8)cases[i].first;
		if (cases[i].at)
			point[cases[i].at] ^= cases[i].flip;
		bytes = g_bytes_new(point, cases[i].size);
		spec.point = bytes;
		host = pvs_pki_cert(&spec);
		if (cases[i].error == GOOD)
			world_accepts(world, host);
		else
			world_refuses(world, host, cases[i].error);
	}
	OPENSSL_free(good);
}

/* ---- bytes ---- */

static void refuses_bytes(World *world, const void *data, gsize size, PvsError wanted)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, size);
	g_autoptr(GError) error = NULL;

	g_assert_null(world_judge(world, bytes, &error));
	world_assert_reason(error, wanted);
}

static void accepts_text(World *world, const char *text)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	g_autoptr(GError) error = NULL;
	g_autoptr(PvsVerdict) verdict = world_judge(world, bytes, &error);

	g_assert_no_error(error);
	g_assert_nonnull(verdict);
}

static void refuses_text(World *world, const char *text, PvsError wanted)
{
	g_test_message("%.60s", text);
	refuses_bytes(world, text, strlen(text), wanted);
}

/* %s in @format becomes the good document. */
static char *around(const char *format, const char *pem)
{
	g_auto(GStrv) parts = g_strsplit(format, "%s", -1);

	return g_strjoinv(pem, parts);
}

static void test_pem(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(X509) host = pvs_pki_host(world_pki, world_host_key);
	g_autoptr(GBytes) bytes = pvs_pki_pem(host);
	g_autofree char *pem = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	static const char *const good[] = {
		"%s",
		"\n\n%s\n\n",
		"Certificate:\n    Data:\n%s",
		"%s \t\r\n",
	};
	static const struct {
		const char *format;
		PvsError error;
	} bad[] = {
		{"%s%s", PVS_ERROR_HOST_KEY_SEVERAL},
		{"%s\n-----BEGIN CERTIFICATE-----\n", PVS_ERROR_HOST_KEY_SEVERAL},
		{"%sx", PVS_ERROR_HOST_KEY_TRAILING},
		{"%s# a remark\n", PVS_ERROR_HOST_KEY_TRAILING},
		{"%s-----BEGIN X509 CRL-----\n-----END X509 CRL-----\n",
		 PVS_ERROR_HOST_KEY_TRAILING},
		{"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n%s",
		 PVS_ERROR_HOST_KEY_FORMAT},
		{"", PVS_ERROR_HOST_KEY_FORMAT},
		{"text", PVS_ERROR_HOST_KEY_FORMAT},
		{"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
		 PVS_ERROR_HOST_KEY_FORMAT},
		{"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		 PVS_ERROR_HOST_KEY_FORMAT},
		{"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
		 PVS_ERROR_HOST_KEY_FORMAT},
		{"-----BEGIN CERTIFICATE-----\n", PVS_ERROR_HOST_KEY_FORMAT},
		{"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		 PVS_ERROR_HOST_KEY_FORMAT},
	};
	g_auto(GStrv) lines = NULL;
	g_autofree char *crlf = NULL, *cut = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autofree char *text = around(good[i], pem);

		accepts_text(world, text);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *text = around(bad[i].format, pem);

		refuses_text(world, text, bad[i].error);
	}
	lines = g_strsplit(pem, "\n", -1);
	crlf = g_strjoinv("\r\n", lines);
	accepts_text(world, crlf);
	/* The end is there, the middle is not. */
	g_free(lines[3]);
	lines[3] = g_strdup("");
	cut = g_strjoinv("\n", lines);
	refuses_text(world, cut, PVS_ERROR_HOST_KEY_FORMAT);
}

static void test_der(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(X509) host = pvs_pki_host(world_pki, world_host_key);
	g_autoptr(GBytes) der = pvs_pki_der(host), crl = pvs_pki_crl_der(world_pki->signing_crl);
	gsize size;
	const guint8 *data = g_bytes_get_data(der, &size);
	g_autoptr(GByteArray) twice = g_byte_array_new();

	g_byte_array_append(twice, data, (guint)size);
	g_byte_array_append(twice, (const guint8 *)"", 1);
	refuses_bytes(world, twice->data, twice->len, PVS_ERROR_HOST_KEY_TRAILING);
	g_byte_array_set_size(twice, (guint)size);
	g_byte_array_append(twice, data, (guint)size);
	refuses_bytes(world, twice->data, twice->len, PVS_ERROR_HOST_KEY_SEVERAL);
	refuses_bytes(world, g_bytes_get_data(crl, NULL), g_bytes_get_size(crl),
		      PVS_ERROR_HOST_KEY_FORMAT);
	for (gsize n = 0; n < size; n += 1 + n / 16)
		refuses_bytes(world, data, n, PVS_ERROR_HOST_KEY_FORMAT);
}

/* Nothing in the document may be another: one bit anywhere, and it is refused. */
static void test_bits(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(PvsStore) store = world_load(world);
	g_autoptr(X509) host = pvs_pki_host(world_pki, world_host_key);
	g_autoptr(GBytes) der = pvs_pki_der(host);
	gsize size;
	g_autofree guint8 *data = NULL;

	size = g_bytes_get_size(der);
	data = g_memdup2(g_bytes_get_data(der, NULL), size);
	for (gsize at = 0; at < size; at++) {
		g_autoptr(GError) error = NULL;

		data[at] ^= (guint8)(1 << at % 8);
		g_assert_null(
			pvs_verdict_reach(store, NULL, data, size, NULL, NULL, WORLD_NOW, &error));
		g_assert_true(error->domain == PVS_ERROR);
		g_assert_cmpint(pvs_error_code((PvsError)error->code), ==, -32002);
		g_assert_cmpuint(ERR_peek_error(), ==, 0);
		data[at] ^= (guint8)(1 << at % 8);
	}
	pvs_verdict_unref(pvs_verdict_reach(store, NULL, data, size, NULL, NULL, WORLD_NOW, NULL));
}

static void test_warm_up(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(PvsStore) store = world_load(world);

	g_assert_true(pvs_verdict_warm_up(store));
	g_assert_cmpuint(ERR_peek_error(), ==, 0);
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	world_start();
	stranger = pvs_pki_rsa(4096);
	g_test_add_func("/verdict/good", test_good);
	g_test_add_func("/verdict/signed-bytes", test_signed_bytes);
	g_test_add_func("/verdict/until", test_until);
	g_test_add_func("/verdict/documents", test_documents);
	g_test_add_func("/verdict/keys", test_keys);
	g_test_add_func("/verdict/points", test_points);
	g_test_add_func("/verdict/pem", test_pem);
	g_test_add_func("/verdict/der", test_der);
	g_test_add_func("/verdict/bits", test_bits);
	g_test_add_func("/verdict/warm-up", test_warm_up);
	status = g_test_run();
	EVP_PKEY_free(stranger);
	world_end();
	return status;
}
