/* SPDX-License-Identifier: MIT */
/*
 * x509.h - reading certificates and CRLs, and the few facts about them that trust asks for
 *
 * None of these leaves anything in OpenSSL's error queue, and none decides by it.
 */
#pragma once

#include "daemon/trust/openssl-auto.h"
#include "protocol/hostkey.h"

/* Reads all certificates and CRLs of @data: PEM, several and mixed, with text between, or one in
 * DER. They are added to @certs and @crls. FALSE if there is none, or anything that cannot be read.
 */
gboolean pvs_x509_read(const guint8 *data, gsize size, PvsX509Stack *certs, PvsCrlStack *crls);

/* The same, of a file that is there for certificates or for CRLs: FALSE also where there is none of
 * these, since what is given as a CRL and is none is a mistake, and would be passed over. */
gboolean pvs_x509_read_some(const guint8 *data, gsize size, gboolean want_crls, PvsX509Stack *certs,
			    PvsCrlStack *crls);

/* Reads the one certificate of a host-key document; errors HOST_KEY_FORMAT, _SEVERAL, _TRAILING. */
X509 *pvs_x509_read_document(const guint8 *data, gsize size, GError **error);

/* RFC 2253 in UTF-8, at most 512 bytes; newly allocated. What a terminal or a log would act on
 * (controls, directions of writing, ends of lines) becomes \XX for each byte. "" for a name without
 * entries. */
char *pvs_x509_name(const X509_NAME *name);

/* Any bytes as such a text: valid UTF-8, cut to @max bytes. @text may be NULL where @size is 0. */
char *pvs_x509_text(const char *text, gsize size, gsize max);

/* Hex, at most 64 digits; newly allocated. @number may be NULL: "". */
char *pvs_x509_serial(const ASN1_INTEGER *number);

/* Seconds since the epoch; FALSE for a time that cannot be read (or NULL). */
gboolean pvs_x509_time(const ASN1_TIME *time, gint64 *seconds);

/* How the thing is signed, from the signature algorithm's id; FALSE for anything that is not in
 * protocol/hostkey.h. */
gboolean pvs_x509_algorithm(int signature_nid, PvsSignatureAlgorithm *algorithm);

/* TRUE for any signature with SHA-256 or stronger that a certificate authority may use. */
gboolean pvs_x509_strong(int signature_nid);

/* TRUE if an entry of @crl has a critical extension: such (those of an indirect CRL) change what
 * the entry means. Looks at every entry. */
gboolean pvs_x509_crl_has_critical_entry(X509_CRL *crl);

/* TRUE if @issuer is whom @crl names as its issuer, by one of the quirks of names.h at most: no
 * proof of anything. */
gboolean pvs_x509_crl_names(const X509_CRL *crl, const X509 *issuer);

/* TRUE if @crl is signed with the key of @issuer, and with SHA-256 or stronger. */
gboolean pvs_x509_crl_is_signed(X509_CRL *crl, X509 *issuer);

/* The first URI, by http or https, where @cert says that its CRL is, as text to be shown; newly
 * allocated; NULL where it names none. */
char *pvs_x509_crl_point(X509 *cert);

/* TRUE if the public key of @cert may sign host-key documents: RSA of at least 3072 bits, or EC on
 * P-384 or P-521. */
gboolean pvs_x509_may_sign(X509 *cert);
