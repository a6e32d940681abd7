/* SPDX-License-Identifier: MIT */
/*
 * make-crls.c - writes a throw-away PKI that says where its CRLs are: make-crls DIR URL
 *
 * root.crt, trust.d and hostkeys.d as an owner installs them, without a CRL; the certificates name
 * URL/root.crl, URL/inter.crl and URL/signing.crl. In served: these three, and others in the place
 * of the last, each wrong in one thing; all in DER.
 */
#include <stdio.h>
#include <time.h>

#include "tests/pki/pki.h"

enum { DAY = 24 * 3600, LONG = 1000, SERIAL = 4711 };

static char *point(const char *url, const char *name)
{
	return g_strdup_printf("crlDistributionPoints=URI:%s/%s", url, name);
}

static void write_crl(const char *dir, const char *name, const PvsPkiCrl *spec)
{
	X509_CRL *crl = pvs_pki_crl(spec);

	pvs_pki_write(dir, name, pvs_pki_crl_der(crl));
	X509_CRL_free(crl);
}

/* The intermediate and the signing key once more, with their points. */
static void name_points(PvsPki *pki, const char *url)
{
	g_autofree char *root = point(url, "root.crl");
	g_autofree char *inter = point(url, "inter.crl");
	const char *const of_inter[] = {root, NULL}, *const of_signing[] = {inter, NULL};
	const PvsPkiCert inter_spec = {.subject = "C=US/O=Tests/CN=Intermediate CA of the tests",
				       .key = pki->inter_key,
				       .issuer = pki->root,
				       .issuer_key = pki->root_key,
				       .ca = TRUE,
				       .extensions = of_inter};
	PvsPkiCert signing_spec = {.subject = PVS_PKI_SIGNING_KEY,
				   .key = pki->signing_key,
				   .issuer_key = pki->inter_key,
				   .key_usage = "critical,digitalSignature,keyEncipherment",
				   .extensions = of_signing};

	X509_free(pki->inter);
	pki->inter = pvs_pki_cert(&inter_spec);
	signing_spec.issuer = pki->inter;
	X509_free(pki->signing);
	pki->signing = pvs_pki_cert(&signing_spec);
}

static void write_host(const char *dir, const char *name, const PvsPki *pki, const char *text,
		       EVP_PKEY *issuer_key)
{
	const char *const extensions[] = {text, NULL};
	EVP_PKEY *key = pvs_pki_ec("P-521");
	PvsPkiCert spec = pvs_pki_host_spec(pki, key);
	X509 *cert;

	spec.extensions = extensions;
	spec.serial = SERIAL;
	if (issuer_key)
		spec.issuer_key = issuer_key;
	cert = pvs_pki_cert(&spec);
	pvs_pki_write(dir, name, pvs_pki_pem(cert));
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* The newest: it lists the documents above. */
static void write_revoking_crl(const char *dir, const PvsPki *pki)
{
	PvsPkiCert host_spec = pvs_pki_host_spec(pki, pki->revoked_key);
	const X509 *revoked[2] = {NULL, NULL};
	const PvsPkiCrl spec = {.issuer = pki->signing,
				.issuer_key = pki->signing_key,
				.revoked = revoked,
				.from = -3600,
				.until = 365 * DAY,
				.number = 7};
	X509 *host;

	host_spec.serial = SERIAL;
	host = pvs_pki_cert(&host_spec);
	revoked[0] = host;
	write_crl(dir, "revoking.crl", &spec);
	X509_free(host);
}

static void write_hosts(const char *top, const PvsPki *pki, const char *url, EVP_PKEY *stranger)
{
	g_autofree char *dir = g_build_filename(top, "hostkeys.d", NULL);
	g_autofree char *signing = point(url, "signing.crl");
	g_autofree char *hostile = point(url, "stranger.crl");

	if (g_mkdir_with_parents(dir, 0755) != 0)
		g_error("%s cannot be made", dir);
	write_host(dir, "host.crt", pki, signing, NULL);
	/* What names a point is not asked for its own good, but this one nobody signed who counts.
	 */
	write_host(top, "stranger.crt", pki, hostile, stranger);
	write_host(top, "odd.crt", pki,
		   "crlDistributionPoints=URI:ldap://127.0.0.1/cn=crl,URI:file:///etc/passwd,"
		   "URI:http://user:word@127.0.0.1/x.crl,URI:ftp://127.0.0.1/x.crl,URI:/x.crl",
		   NULL);
}

static void write_signing_crls(const char *dir, const PvsPki *pki, EVP_PKEY *stranger)
{
	static const char *const delta[] = {"2.5.29.27=critical,DER:020104", NULL};
	static const char *const indirect[] = {"issuingDistributionPoint=critical,indirectCRL:TRUE",
					       NULL};
	const PvsPkiCrl good = {.issuer = pki->signing,
				.issuer_key = pki->signing_key,
				.from = -2 * DAY,
				.until = 365 * DAY,
				.number = 5};
	PvsPkiCrl spec = good;

	write_crl(dir, "signing.crl", &good);
	spec.from = -DAY;
	spec.number = 6;
	write_crl(dir, "newer.crl", &spec);
	spec.issuer_key = stranger;
	write_crl(dir, "forged.crl", &spec);
	spec = good;
	spec.from = -3 * DAY;
	write_crl(dir, "older.crl", &spec);
	spec = good;
	spec.number = 4;
	write_crl(dir, "same-second.crl", &spec);
	spec = good;
	spec.until = -DAY;
	write_crl(dir, "expired.crl", &spec);
	spec = good;
	spec.from = DAY;
	write_crl(dir, "not-yet.crl", &spec);
	spec = good;
	spec.from = -10 * DAY;
	spec.until = 3 * DAY;
	write_crl(dir, "soon.crl", &spec);
	spec = good;
	spec.from = -3600;
	spec.until = 7 * DAY - 3600;
	write_crl(dir, "week.crl", &spec);
	spec = good;
	spec.from = -DAY;
	spec.more = LONG;
	write_crl(dir, "long.crl", &spec);
	spec = good;
	spec.from = -DAY;
	spec.issuer_name =
		"C=US/" PVS_PKI_IBM "/OU=IBM Z Host Key Signing Service/L=Armonk/ST=New York";
	write_crl(dir, "armonk.crl", &spec);
	/* Newer than the good one, genuine, and of no use. */
	spec = good;
	spec.from = -DAY;
	spec.no_until = TRUE;
	write_crl(dir, "no-until.crl", &spec);
	spec.no_until = FALSE;
	spec.critical = TRUE;
	write_crl(dir, "critical.crl", &spec);
	spec.critical = FALSE;
	spec.extensions = delta;
	write_crl(dir, "delta.crl", &spec);
	spec.extensions = indirect;
	write_crl(dir, "indirect.crl", &spec);
	spec.extensions = NULL;
	spec.digest = EVP_sha1();
	write_crl(dir, "sha1.crl", &spec);
}

int main(int argc, char **argv)
{
	g_autofree char *served = NULL, *trust = NULL;
	EVP_PKEY *stranger;
	PvsPki *pki;

	if (argc != 3 || argv[1][0] == '-') {
		fprintf(stderr, "Usage: make-crls DIR URL\n");
		return 2;
	}
	/* Two CRLs of the same second are of the same second. */
	pvs_pki_set_now(time(NULL));
	served = g_build_filename(argv[1], "served", NULL);
	trust = g_build_filename(argv[1], "trust.d", NULL);
	if (g_mkdir_with_parents(served, 0755) != 0 || g_mkdir_with_parents(trust, 0755) != 0) {
		perror(argv[1]);
		return 1;
	}
	stranger = pvs_pki_rsa(3072);
	pki = pvs_pki_new();
	name_points(pki, argv[2]);
	pvs_pki_write(argv[1], "root.crt", pvs_pki_pem(pki->root));
	pvs_pki_write(trust, "signing.crt", pvs_pki_pem(pki->signing));
	pvs_pki_write(trust, "inter.crt", pvs_pki_pem(pki->inter));
	pvs_pki_write(served, "root.crl", pvs_pki_crl_der(pki->root_crl));
	pvs_pki_write(served, "inter.crl", pvs_pki_crl_der(pki->inter_crl));
	write_hosts(argv[1], pki, argv[2], stranger);
	write_signing_crls(served, pki, stranger);
	write_revoking_crl(served, pki);
	EVP_PKEY_free(stranger);
	pvs_pki_free(pki);
	return 0;
}
