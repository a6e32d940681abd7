/* SPDX-License-Identifier: MIT */
/*
 * test-verdict-trusted.c - what is trusted, and what only looks as if it were
 */
#include "daemon/trust/verdict.h"

#include <string.h>

#include "tests/unit/trust-world.h"

#define GOOD PVS_ERROR_LAST_

static EVP_PKEY *stranger; /* RSA-3072, nobody's */
static X509 *host;

static void expect(World *world, const X509 *document, PvsError wanted)
{
	if (wanted == GOOD)
		world_accepts(world, document);
	else
		world_refuses(world, document, wanted);
}

/* ---- roots ---- */

/* The directory for links makes no root of what signed itself; RootCA= does. */
static void test_self_signed_is_no_root(void)
{
	g_autoptr(World) world = world_new();
	PvsPkiCert other = world_root_spec();

	other.subject = "C=US/O=Tests/CN=Another root CA";
	other.key = stranger;
	world_put_cert_of(world, "root.crt", &other);
	world_put_cert(world, "trust.d/root.crt", world_pki->root);
	expect(world, host, PVS_ERROR_SIGNING_KEY_UNTRUSTED);
	world_put_cert(world, "root.crt", world_pki->root);
	expect(world, host, GOOD);
}

/* It names itself as its issuer, and another key of the same kind signed it: with one of another
 * kind it would not even look self-signed. */
static void test_root_signature(void)
{
	g_autoptr(World) world = world_new();
	PvsPkiCert root = world_root_spec();
	EVP_PKEY *other = pvs_pki_ec("P-521");

	world_put_cert_of(world, "root.crt", &root);
	expect(world, host, GOOD);
	root.issuer_key = other;
	world_put_cert_of(world, "root.crt", &root);
	expect(world, host, PVS_ERROR_SIGNING_KEY_UNTRUSTED);
	EVP_PKEY_free(other);
}

/* ---- the strict rules of RFC 5280 ---- */

static void test_strict(void)
{
	static const char *const quiet[] = {"basicConstraints=CA:TRUE", NULL};
	g_autoptr(World) world = world_new();
	PvsPkiCert signing = world_signing_spec(), inter = world_inter_spec();

	signing.no_akid = TRUE;
	world_put_cert_of(world, "trust.d/signing.crt", &signing);
	expect(world, host, PVS_ERROR_SIGNING_KEY_UNTRUSTED);
	world_put_cert(world, "trust.d/signing.crt", world_pki->signing);
	expect(world, host, GOOD);

	/* The mark of a CA, not critical. */
	inter.ca = FALSE;
	inter.key_usage = "critical,keyCertSign,cRLSign";
	inter.extensions = quiet;
	world_put_cert_of(world, "trust.d/inter.crt", &inter);
	expect(world, host, PVS_ERROR_SIGNING_KEY_UNTRUSTED);
}

/* ---- which reason is said ---- */

/* Two certificates of the signing key: that one of them is over says nothing about why the other
 * does not hold. */
static void test_expired_beside_revoked(void)
{
	static const char *const names[] = {"trust.d/0-old.crt", "trust.d/z-old.crt"};
	const X509 *list[] = {world_pki->signing, NULL};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(World) world = world_new();
		PvsPkiCert old = world_signing_spec();
		PvsPkiCrl crl = world_inter_crl_spec();

		old.from = -WORLD_YEAR;
		old.until = -1;
		world_put_cert_of(world, names[i], &old);
		expect(world, host, GOOD);
		crl.revoked = list;
		world_put_crl_of(world, "trust.d/inter.crl", &crl);
		expect(world, host, PVS_ERROR_SIGNING_KEY_REVOKED);
	}
}

/* ---- documents with extensions that cannot be read ---- */

static void test_unreadable_extensions(void)
{
	static const struct {
		const char *name;
		const char *extensions[3];
		gboolean no_akid;
	} cases[] = {
		{"marks of a CA", {"2.5.29.19=DER:0500"}, FALSE},
		{"authority key id", {"2.5.29.35=DER:0500"}, TRUE},
		{"two authority key ids", {"2.5.29.35=DER:3000", "2.5.29.35=DER:3000"}, TRUE},
		{"distribution points", {"2.5.29.31=DER:0500"}, FALSE},
	};
	g_autoptr(World) world = world_new();

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		PvsPkiCert spec = world_host_spec();
		g_autoptr(X509) document = NULL;

		g_test_message("%s", cases[i].name);
		spec.extensions = cases[i].extensions;
		spec.no_akid = cases[i].no_akid;
		document = pvs_pki_cert(&spec);
		expect(world, document, PVS_ERROR_HOST_KEY_FORMAT);
	}
}

/* ---- installed files ---- */

static GBytes *longer(GBytes *bytes)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(bytes, &size);
	GByteArray *array = g_byte_array_new();

	g_byte_array_append(array, data, (guint)size);
	g_byte_array_append(array, (const guint8 *)"", 1);
	return g_byte_array_free_to_bytes(array);
}

static GBytes *armoured(const char *kind, GBytes *der)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(der, &size);
	g_autofree char *base64 = g_base64_encode(data, size);
	GString *text = g_string_new(NULL);

	g_string_append_printf(text, "-----BEGIN %s-----\n", kind);
	for (const char *p = base64; *p; p += MIN(strlen(p), 64))
		g_string_append_printf(text, "%.64s\n", p);
	g_string_append_printf(text, "-----END %s-----\n", kind);
	return g_string_free_to_bytes(text);
}

static void test_bytes_behind(void)
{
	g_autoptr(GBytes) cert = pvs_pki_der(world_pki->inter);
	g_autoptr(GBytes) crl = pvs_pki_crl_der(world_pki->inter_crl);
	const struct {
		const char *file, *kind;
		GBytes *der;
	} cases[] = {
		{"trust.d/inter.crt", "CERTIFICATE", cert},
		{"trust.d/inter.crl", "X509 CRL", crl},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(World) world = world_new();
		g_autoptr(GBytes) more = longer(cases[i].der);

		for (guint pem = 0; pem < 2; pem++) {
			g_autofree char *said = NULL;

			g_test_message("%s, %s", cases[i].file, pem ? "PEM" : "DER");
			world_put(world, cases[i].file,
				  pem ? armoured(cases[i].kind, cases[i].der)
				      : g_bytes_ref(cases[i].der));
			expect(world, host, GOOD);
			world_put(world, cases[i].file,
				  pem ? armoured(cases[i].kind, more) : g_bytes_ref(more));
			said = world_load_error(world);
			g_assert_nonnull(strstr(said, cases[i].file));
			g_assert_nonnull(strstr(said, "PEM or DER"));
		}
	}
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	world_start();
	stranger = pvs_pki_rsa(3072);
	host = pvs_pki_host(world_pki, world_host_key);
	g_test_add_func("/trusted/self-signed", test_self_signed_is_no_root);
	g_test_add_func("/trusted/root-signature", test_root_signature);
	g_test_add_func("/trusted/strict", test_strict);
	g_test_add_func("/trusted/expired-beside-revoked", test_expired_beside_revoked);
	g_test_add_func("/trusted/unreadable-extensions", test_unreadable_extensions);
	g_test_add_func("/trusted/bytes-behind", test_bytes_behind);
	status = g_test_run();
	X509_free(host);
	EVP_PKEY_free(stranger);
	world_end();
	return status;
}
