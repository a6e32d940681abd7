/* SPDX-License-Identifier: MIT */
/*
 * pki.h - certificates and CRLs for the tests, right in everything or wrong in one thing
 *
 * A specification is a struct whose zeroed members mean "as it should be". Everything aborts on
 * failure: a test that cannot make its certificates says nothing.
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <glib.h>

#define PVS_PKI_IBM                                                                         \
	"O=International Business Machines Corporation/CN=International Business Machines " \
	"Corporation"
#define PVS_PKI_SIGNING_KEY \
	"C=US/" PVS_PKI_IBM "/ST=New York/L=Poughkeepsie/OU=IBM Z Host Key Signing Service"

/* The clock of all specifications, from now on; 0: the real one again. */
void pvs_pki_set_now(gint64 now);
gint64 pvs_pki_now(void);

/* Extensions are given as OpenSSL's configuration has them (x509v3_config(5)), "NAME=VALUE",
 * NULL-terminated: "basicConstraints=critical,CA:TRUE,pathlen:0", "2.999.1=critical,DER:0500". */
typedef const char *const *PvsPkiExtensions;

/* A certificate. */
typedef struct {
	const char *subject;  /* entries TYPE=VALUE, separated by '/' */
	EVP_PKEY *key;	      /* its own; only the public half is used where there is an issuer */
	X509 *issuer;	      /* NULL: self-signed */
	EVP_PKEY *issuer_key; /* NULL: key */
	const char *issuer_name; /* instead of the issuer's subject */
	gboolean ca;
	gboolean no_akid;
	gboolean no_skid;
	const char *akid_hex;  /* instead of the issuer's key id */
	const char *key_usage; /* as openssl x509v3_config(5) has it; NULL: by kind; "": none */
	gboolean critical;     /* has an unknown critical extension */
	PvsPkiExtensions extensions;	    /* besides these; may be NULL */
	const EVP_MD *digest;		    /* NULL: SHA-512 */
	gboolean pss;			    /* an RSA key signs with RSASSA-PSS */
	gint64 from, until;		    /* seconds from now; 0, 0: a day ago to ten years on */
	const char *from_text, *until_text; /* what stands there instead, as a UTCTime */
	guint64 serial;			    /* 0: random */
	int version;			    /* 0: 3 */
	int name_type; /* MBSTRING_ASC, V_ASN1_PRINTABLESTRING, ...; 0: MBSTRING_UTF8 */
	GBytes *point; /* instead of the key's: any bytes */
	int curve_nid; /* with point; 0: secp521r1 */
} PvsPkiCert;

X509 *pvs_pki_cert(const PvsPkiCert *spec);

/* A CRL. */
typedef struct {
	X509 *issuer;
	EVP_PKEY *issuer_key;
	const char *issuer_name;    /* instead of the issuer's subject */
	int name_type;		    /* of issuer_name, as of a certificate */
	const X509 *const *revoked; /* NULL-terminated; may be NULL */
	guint more;		    /* entries besides, of nobody, in no order */
	gint64 from, until;	    /* seconds from now; 0, 0: a day ago to a year on */
	gboolean no_until;
	gboolean no_akid;
	const char *akid_hex;
	gboolean critical;	 /* has an unknown critical extension */
	gboolean critical_entry; /* each entry has one */
	int reason;		 /* of each entry, CRL_REASON_KEY_COMPROMISE, ...; 0: none */
	const char *from_text, *until_text; /* what stands there instead, as a UTCTime */
	PvsPkiExtensions extensions;
	const EVP_MD *digest;
	guint64 number; /* 0: none */
} PvsPkiCrl;

X509_CRL *pvs_pki_crl(const PvsPkiCrl *spec);

EVP_PKEY *pvs_pki_ec(const char *curve);	  /* "P-521" */
EVP_PKEY *pvs_pki_ec_explicit(const char *curve); /* says the curve's parameters, not its name */
EVP_PKEY *pvs_pki_rsa(guint bits);

/* PEM and DER, newly allocated. */
GBytes *pvs_pki_pem(const X509 *cert);
GBytes *pvs_pki_der(const X509 *cert);
GBytes *pvs_pki_crl_pem(const X509_CRL *crl);
GBytes *pvs_pki_crl_der(const X509_CRL *crl);

/* Writes a file; @name may hold folders that exist. */
void pvs_pki_write(const char *dir, const char *name, GBytes *bytes);
void pvs_pki_write_key(const char *dir, const char *name, EVP_PKEY *key); /* PEM, mode 0600 */

/* Root CA, intermediate CA and signing key with a CRL each, shaped like IBM's. */
typedef struct {
	EVP_PKEY *root_key, *inter_key, *signing_key;
	X509 *root, *inter, *signing;
	X509_CRL *root_crl, *inter_crl, *signing_crl;
	X509 *revoked; /* a host-key document that signing_crl lists */
	EVP_PKEY *revoked_key;
} PvsPki;

PvsPki *pvs_pki_new(void);
void pvs_pki_free(PvsPki *pki);

/* A host-key document of the signing key; @key: P-521. */
X509 *pvs_pki_host(const PvsPki *pki, EVP_PKEY *key);
/* What pvs_pki_host() makes, to be changed in one thing. */
PvsPkiCert pvs_pki_host_spec(const PvsPki *pki, EVP_PKEY *key);

/* Writes what an owner installs: root.crt beside, in @dir/trust.d signing key, intermediate, CRLs.
 */
void pvs_pki_install(const PvsPki *pki, const char *dir);
