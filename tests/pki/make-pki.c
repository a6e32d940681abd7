/* SPDX-License-Identifier: MIT */
/*
 * make-pki.c - writes a throw-away PKI shaped like IBM's: make-pki DIR; later, one more CRL of its
 * signing key to standard output: make-pki crl DIR FROM UNTIL NUMBER (FROM, UNTIL: seconds from
 * now)
 *
 * What an owner installs: root.crt, and in trust.d the signing key, the intermediate CA and the
 * CRLs. What clients send: hostN.crt with hostN.key (N from 1 to 20; host.crt is the first), and
 * documents that are to be refused, each for one reason. And for two images a CCK and an SE header
 * each: cck and se.hdr, other-cck and other.hdr.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "protocol/seheader.h"
#include "tests/pki/pki.h"

enum { HOSTS = 20, DAY = 24 * 3600 };

static void write_cert(const char *dir, const char *name, X509 *cert)
{
	pvs_pki_write(dir, name, pvs_pki_pem(cert));
	X509_free(cert);
}

static void write_hosts(const char *dir, const PvsPki *pki)
{
	for (guint i = 1; i <= HOSTS; i++) {
		g_autofree char *crt = g_strdup_printf("host%u.crt", i);
		g_autofree char *key_name = g_strdup_printf("host%u.key", i);
		EVP_PKEY *key = pvs_pki_ec("P-521");
		X509 *cert = pvs_pki_host(pki, key);

		pvs_pki_write_key(dir, key_name, key);
		if (i == 1) {
			pvs_pki_write(dir, "host.crt", pvs_pki_pem(cert));
			pvs_pki_write_key(dir, "host.key", key);
			pvs_pki_write(dir, "host1.der", pvs_pki_der(cert));
		}
		write_cert(dir, crt, cert);
		EVP_PKEY_free(key);
	}
}

static GBytes *joined(X509 *one, X509 *other)
{
	g_autoptr(GBytes) a = pvs_pki_pem(one);
	g_autoptr(GBytes) b = pvs_pki_pem(other);
	GByteArray *both = g_byte_array_new();

	g_byte_array_append(both, g_bytes_get_data(a, NULL), (guint)g_bytes_get_size(a));
	g_byte_array_append(both, g_bytes_get_data(b, NULL), (guint)g_bytes_get_size(b));
	return g_byte_array_free_to_bytes(both);
}

static GBytes *with_tail(X509 *cert)
{
	g_autoptr(GBytes) der = pvs_pki_der(cert);
	GByteArray *longer = g_byte_array_new();

	g_byte_array_append(longer, g_bytes_get_data(der, NULL), (guint)g_bytes_get_size(der));
	g_byte_array_append(longer, (const guint8 *)"tail", 4);
	return g_byte_array_free_to_bytes(longer);
}

/* A document that is to be refused, wrong in what its row says. */
static void write_refused(const char *dir, const PvsPki *pki)
{
	EVP_PKEY *p521 = pvs_pki_ec("P-521"), *p256 = pvs_pki_ec("P-256"), *rsa = pvs_pki_rsa(2048);
	PvsPkiCert spec = pvs_pki_host_spec(pki, p521);
	X509 *good = pvs_pki_cert(&spec);

	pvs_pki_write(dir, "revoked.crt", pvs_pki_pem(pki->revoked));
	pvs_pki_write(dir, "two.crt", joined(good, pki->revoked));
	pvs_pki_write(dir, "trailing.der", with_tail(good));
	X509_free(good);

	spec.from = -3 * DAY;
	spec.until = -DAY;
	write_cert(dir, "expired.crt", pvs_pki_cert(&spec));
	spec.from = DAY;
	spec.until = 3 * DAY;
	write_cert(dir, "not-yet.crt", pvs_pki_cert(&spec));

	spec = pvs_pki_host_spec(pki, p521);
	spec.digest = EVP_sha1();
	write_cert(dir, "sha1.crt", pvs_pki_cert(&spec));
	spec = pvs_pki_host_spec(pki, p521);
	spec.ca = TRUE;
	write_cert(dir, "ca.crt", pvs_pki_cert(&spec));
	spec = pvs_pki_host_spec(pki, p521);
	spec.critical = TRUE;
	write_cert(dir, "critical.crt", pvs_pki_cert(&spec));
	spec = pvs_pki_host_spec(pki, p521);
	spec.issuer_name = "C=US/O=Tests/CN=The signing key by another name";
	write_cert(dir, "other-name.crt", pvs_pki_cert(&spec));
	spec = pvs_pki_host_spec(pki, rsa);
	write_cert(dir, "rsa.crt", pvs_pki_cert(&spec));
	spec = pvs_pki_host_spec(pki, p256);
	write_cert(dir, "p256.crt", pvs_pki_cert(&spec));

	EVP_PKEY_free(p521);
	EVP_PKEY_free(p256);
	EVP_PKEY_free(rsa);
}

/* Somebody else's signing key, of the same name: its documents must look right in all but the key.
 */
static void write_stranger(const char *dir, const PvsPki *pki)
{
	EVP_PKEY *stranger_key = pvs_pki_rsa(3072), *host_key = pvs_pki_ec("P-521");
	PvsPkiCert spec = {
		.subject = PVS_PKI_SIGNING_KEY,
		.key = stranger_key,
		.key_usage = "critical,digitalSignature,keyEncipherment",
	};
	X509 *stranger = pvs_pki_cert(&spec);

	spec = pvs_pki_host_spec(pki, host_key);
	spec.issuer_key = stranger_key; /* the genuine signing key's name and key id */
	write_cert(dir, "stranger.crt", pvs_pki_cert(&spec));
	pvs_pki_write_key(dir, "stranger.key", host_key);
	write_cert(dir, "stranger-signing.crt", stranger);
	EVP_PKEY_free(stranger_key);
	EVP_PKEY_free(host_key);
}

static void put(guint8 *to, guint64 value, guint bytes)
{
	while (bytes-- > 0) {
		to[bytes] = (guint8)value;
		value >>= 8;
	}
}

/* An SE header with one keyslot; protocol/seheader.h has its layout. What only the firmware can
 * read, and the digests, are random. */
static GBytes *header(void)
{
	enum { KEYSLOT = 80, ENCRYPTED = 128, TAG = 16 };
	guint8 bytes[PVS_HEADER_FIXED + KEYSLOT + ENCRYPTED + TAG];

	if (RAND_bytes(bytes, sizeof bytes) != 1)
		g_error("no random bytes");
	memcpy(bytes, "IBMSecEx", 8);
	put(bytes + 8, 0x100, 4);
	put(bytes + 12, sizeof bytes, 4);
	put(bytes + 28, 0, 4); /* behind the IV */
	put(bytes + 32, 1, 8);
	put(bytes + 40, ENCRYPTED, 8);
	put(bytes + 48, 1, 8);
	put(bytes + 56, 0, 8);
	return g_bytes_new(bytes, sizeof bytes);
}

static void write_image(const char *dir, const char *header_name, const char *cck_name)
{
	g_autofree char *path = g_build_filename(dir, cck_name, NULL);
	guint8 cck[32];

	if (RAND_priv_bytes(cck, sizeof cck) != 1)
		g_error("no random bytes");
	pvs_pki_write(dir, header_name, header());
	pvs_pki_write(dir, cck_name, g_bytes_new(cck, sizeof cck));
	if (chmod(path, 0600) < 0)
		g_error("%s: cannot be made private", path);
}

/* As long as one gets over the years. */
static void write_long_crl(const char *dir, const PvsPki *pki)
{
	PvsPkiCrl spec = {
		.issuer = pki->signing, .issuer_key = pki->signing_key, .number = 2, .more = 5000};
	X509_CRL *crl = pvs_pki_crl(&spec);

	pvs_pki_write(dir, "long.crl", pvs_pki_crl_pem(crl));
	X509_CRL_free(crl);
}

static BIO *open_in(const char *dir, const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	BIO *bio = BIO_new_file(path, "r");

	if (!bio)
		g_error("%s: cannot be opened", path);
	return bio;
}

static void write_crl(const char *dir, gint64 from, gint64 until, guint64 number, guint more)
{
	BIO *cert = open_in(dir, "signing.crt"), *key = open_in(dir, "signing.key");
	BIO *listed = open_in(dir, "revoked.crt");
	const X509 *revoked[] = {PEM_read_bio_X509(listed, NULL, NULL, NULL), NULL};
	PvsPkiCrl spec = {
		.issuer = PEM_read_bio_X509(cert, NULL, NULL, NULL),
		.issuer_key = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL),
		.from = from,
		.until = until,
		.number = number,
		.more = more,
		.revoked = revoked,
	};
	X509_CRL *crl = pvs_pki_crl(&spec);
	g_autoptr(GBytes) pem = pvs_pki_crl_pem(crl);

	fwrite(g_bytes_get_data(pem, NULL), 1, g_bytes_get_size(pem), stdout);
	X509_CRL_free(crl);
	X509_free(spec.issuer);
	EVP_PKEY_free(spec.issuer_key);
	X509_free((X509 *)(gintptr)revoked[0]);
	BIO_free(cert);
	BIO_free(key);
	BIO_free(listed);
}

int main(int argc, char **argv)
{
	PvsPki *pki;
	const char *dir;

	if ((argc == 6 || argc == 7) && strcmp(argv[1], "crl") == 0) {
		write_crl(argv[2], g_ascii_strtoll(argv[3], NULL, 10),
			  g_ascii_strtoll(argv[4], NULL, 10), g_ascii_strtoull(argv[5], NULL, 10),
			  argc > 6 ? (guint)g_ascii_strtoull(argv[6], NULL, 10) : 0);
		return 0;
	}
	if (argc != 2 || argv[1][0] == '-') {
		fprintf(stderr, "Usage: make-pki DIR\n"
				"       make-pki crl DIR FROM UNTIL NUMBER [ENTRIES]\n");
		return 2;
	}
	dir = argv[1];
	if (g_mkdir_with_parents(dir, 0755) != 0) {
		perror(dir);
		return 1;
	}
	pki = pvs_pki_new();
	pvs_pki_install(pki, dir);
	pvs_pki_write(dir, "root.crl", pvs_pki_crl_pem(pki->root_crl));
	pvs_pki_write(dir, "inter.crt", pvs_pki_pem(pki->inter));
	pvs_pki_write(dir, "inter.crl", pvs_pki_crl_pem(pki->inter_crl));
	pvs_pki_write(dir, "signing.crt", pvs_pki_pem(pki->signing));
	pvs_pki_write(dir, "signing.crl", pvs_pki_crl_pem(pki->signing_crl));
	pvs_pki_write_key(dir, "signing.key", pki->signing_key);
	write_long_crl(dir, pki);
	write_hosts(dir, pki);
	write_refused(dir, pki);
	write_stranger(dir, pki);
	write_image(dir, "se.hdr", "cck");
	write_image(dir, "other.hdr", "other-cck");
	pvs_pki_free(pki);
	return 0;
}
