/* SPDX-License-Identifier: MIT */
/*
 * verdict.c - is this host-key document genuine?
 */
#include "daemon/trust/verdict.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "daemon/trust/chain.h"
#include "daemon/trust/names.h"
#include "daemon/trust/x509.h"

enum {
	POINT_UNCOMPRESSED = 133, /* bytes: 0x04, X, Y of 66 each */
	COORDINATE = 66,
	UNVERIFIED_FOR = 3600, /* seconds */
};

PvsVerdict *pvs_verdict_ref(PvsVerdict *verdict)
{
	verdict->refs++;
	return verdict;
}

void pvs_verdict_unref(PvsVerdict *verdict)
{
	if (!verdict || --verdict->refs > 0)
		return;
	g_free(verdict->subject);
	g_ptr_array_unref(verdict->links);
	g_clear_pointer(&verdict->tbs, g_bytes_unref);
	g_clear_pointer(&verdict->signature, g_bytes_unref);
	g_free(verdict);
}

static gboolean refuse(GError **error, PvsError code)
{
	return pvs_fail(error, code, NULL, NULL);
}

/* The key: EC, the named curve secp521r1, an uncompressed point that is on it. Looked at as bytes:
 * what OpenSSL makes of other forms (compressed, hybrid, explicit parameters) is of no interest. */
static gboolean check_key(X509 *document, PvsVerdict *verdict, GError **error)
{
	X509_PUBKEY *spki = X509_get_X509_PUBKEY(document);
	ASN1_OBJECT *algorithm;
	const guint8 *point;
	int size, parameter_type;
	X509_ALGOR *identifier;
	const void *parameter;
	EVP_PKEY *key;
	g_autoptr(EVP_PKEY_CTX) ctx = NULL;
	gsize phkh_size = sizeof verdict->phkh;

	if (X509_PUBKEY_get0_param(&algorithm, &point, &size, &identifier, spki) != 1 ||
	    OBJ_obj2nid(algorithm) != NID_X9_62_id_ecPublicKey)
		return refuse(error, PVS_ERROR_HOST_KEY_TYPE);
	X509_ALGOR_get0(NULL, &parameter_type, &parameter, identifier);
	if (parameter_type != V_ASN1_OBJECT || OBJ_obj2nid(parameter) != NID_secp521r1)
		return refuse(error, PVS_ERROR_HOST_KEY_TYPE);
	if (size != POINT_UNCOMPRESSED || point[0] != 0x04)
		return refuse(error, PVS_ERROR_HOST_KEY_INVALID);
	key = X509_get0_pubkey(document);
	ctx = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
	if (!ctx || EVP_PKEY_public_check(ctx) != 1)
		return refuse(error, PVS_ERROR_HOST_KEY_INVALID);

	memcpy(verdict->point + PVS_POINT_SIZE / 2 - COORDINATE, point + 1, COORDINATE);
	memcpy(verdict->point + PVS_POINT_SIZE - COORDINATE, point + 1 + COORDINATE, COORDINATE);
	if (EVP_Q_digest(NULL, "SHA256", NULL, verdict->point, sizeof verdict->point, verdict->phkh,
			 &phkh_size) != 1)
		return refuse(error, PVS_ERROR_INTERNAL);
	return TRUE;
}

/* What the document says of itself besides its key. */
static gboolean check_form(X509 *document, PvsVerdict *verdict, GError **error)
{
	guint32 flags = X509_get_extension_flags(document);

	/* Version 3 alone: a document without extensions is not one that IBM issues. */
	if (X509_get_version(document) != X509_VERSION_3 || (flags & EXFLAG_INVALID))
		return refuse(error, PVS_ERROR_HOST_KEY_FORMAT);
	if (X509_check_ca(document) > 0)
		return refuse(error, PVS_ERROR_HOST_KEY_IS_CA);
	if (flags & EXFLAG_CRITICAL)
		return refuse(error, PVS_ERROR_HOST_KEY_CRITICAL);
	if (!pvs_x509_algorithm(X509_get_signature_nid(document), &verdict->algorithm))
		return refuse(error, PVS_ERROR_HOST_KEY_WEAK);
	return TRUE;
}

/* Is @name that of the signing key, as the document's issuer? By both quirks: IBM's own tools ask
 * no more of a document, and a name alone gets nobody anywhere, since the pinned key has to have
 * signed it. */
static gboolean name_fits(const X509_NAME *name, const X509 *signing_key)
{
	return pvs_name_means(name, X509_get_subject_name(signing_key),
			      PVS_NAME_PLACE | PVS_NAME_ORDER);
}

/* TRUE where the document has no authority key id, or has that of the signing key. */
static gboolean akid_fits(const AUTHORITY_KEYID *akid, X509 *signing_key)
{
	return !akid || X509_check_akid(signing_key, akid) == X509_V_OK;
}

/* Whether a signing key signed the document, from farthest to closest. */
typedef enum { NOTHING_FITS, KEY_ID_FITS, NAME_FITS, BOTH_FIT, SIGNED_WEAKLY, SIGNED } Fit;

static Fit fit_of(const PvsGrounds *c, X509 *document, const AUTHORITY_KEYID *akid,
		  X509 *signing_key)
{
	gboolean id = akid_fits(akid, signing_key);

	if (!name_fits(X509_get_issuer_name(document), signing_key)) {
		/* Where one of the two has no key id, there is nothing that could fit. */
		if (!id || !akid || !akid->keyid || !X509_get0_subject_key_id(signing_key))
			return NOTHING_FITS;
		if (!pvs_store_issuer_by_key_id(c->store))
			return KEY_ID_FITS;
	} else if (!id) {
		return NAME_FITS;
	}
	if (X509_verify(document, X509_get0_pubkey(signing_key)) != 1)
		return BOTH_FIT;
	return pvs_x509_may_sign(signing_key) ? SIGNED : SIGNED_WEAKLY;
}

/* The installed signing keys that signed the document: of X509, not owned. More than one where a
 * certificate was renewed for the same key. NULL where there is none: the reason is that of the one
 * that came closest. */
static GPtrArray *find_signing_keys(const PvsGrounds *c, X509 *document, GError **error)
{
	static const PvsError reasons[] = {
		[NOTHING_FITS] = PVS_ERROR_HOST_KEY_NO_SIGNING_KEY,
		[KEY_ID_FITS] = PVS_ERROR_HOST_KEY_ISSUER,
		[NAME_FITS] = PVS_ERROR_HOST_KEY_AKID,
		[BOTH_FIT] = PVS_ERROR_HOST_KEY_SIGNATURE,
		[SIGNED_WEAKLY] = PVS_ERROR_HOST_KEY_WEAK,
	};
	int critical = -1;
	g_autoptr(AUTHORITY_KEYID) akid =
		X509_get_ext_d2i(document, NID_authority_key_identifier, &critical, NULL);
	g_autoptr(GPtrArray) found = g_ptr_array_new();
	Fit closest = NOTHING_FITS;

	if (!akid && critical != -1) {
		refuse(error, PVS_ERROR_HOST_KEY_AKID); /* there, and cannot be read */
		return NULL;
	}
	for (guint i = 0; i < pvs_store_n_certs(c->store); i++) {
		const PvsStoreCert *entry = pvs_store_cert(c->store, i);
		Fit fit;

		if (entry->kind != PVS_CERT_SIGNING_KEY)
			continue;
		fit = fit_of(c, document, akid, entry->cert);
		if (fit == SIGNED)
			g_ptr_array_add(found, entry->cert);
		else
			closest = MAX(closest, fit);
	}
	if (found->len > 0)
		return g_steal_pointer(&found);
	refuse(error, reasons[closest]);
	return NULL;
}

static gboolean check_dates(X509 *document, gint64 now, PvsVerdict *verdict, GError **error)
{
	gint64 from;

	if (!pvs_x509_time(X509_get0_notBefore(document), &from) ||
	    !pvs_x509_time(X509_get0_notAfter(document), &verdict->not_after))
		return refuse(error, PVS_ERROR_HOST_KEY_FORMAT);
	if (from > now)
		return refuse(error, PVS_ERROR_HOST_KEY_NOT_YET);
	/* As OpenSSL has it: at notAfter itself it is over. */
	if (verdict->not_after <= now)
		return refuse(error, PVS_ERROR_HOST_KEY_EXPIRED);
	return TRUE;
}

static void rest_on(PvsVerdict *verdict, PvsLink *link)
{
	verdict->from = MAX(verdict->from, link->from);
	verdict->until = MIN(verdict->until, link->until);
	g_ptr_array_add(verdict->links, link);
}

static void rest_on_chain(PvsVerdict *verdict, const PvsChain *chain)
{
	for (guint i = 0; i < chain->links->len; i++)
		rest_on(verdict, pvs_link_copy(chain->links->pdata[i]));
	/* Sooner, where a CRL is going to begin. */
	verdict->until = MIN(verdict->until, chain->until);
}

/* What the certificates of the key that signed a document come to. */
typedef struct {
	PvsChain *chain; /* of the first that has both a chain and a CRL; NULL: none */
	X509_CRL *crl;	 /* not owned */
	GError *broken;	 /* why there is no chain, where none has one */
	PvsError no_crl; /* why there is no CRL, where some have chains; else PVS_ERROR_LAST_ */
	gboolean revoked;
	gint64 next; /* when another CRL begins to count */
} Standing;

static void standing_clear(Standing *s)
{
	pvs_chain_unref(s->chain);
	g_clear_error(&s->broken);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Standing, standing_clear)

static void look_at_signing_key(Standing *s, const PvsGrounds *c, X509 *document, X509 *signing_key)
{
	PvsCrlFound found = pvs_crls_look_up(&c->crls, signing_key, document);
	g_autoptr(PvsChain) chain = NULL;

	/* A CRL may say which certificate of the key it belongs to. Whichever it is, the key signed
	 * the list. */
	s->revoked = s->revoked || found.revoked;
	s->next = MIN(s->next, found.next);
	if (s->chain)
		return;
	chain = pvs_chain_reach(c, signing_key);
	if (chain->refusal) {
		/* An expired one beside its successor says nothing where the successor has
		 * something to say. */
		if (!s->broken || s->broken->code == PVS_ERROR_SIGNING_KEY_EXPIRED) {
			g_clear_error(&s->broken);
			s->broken = g_error_copy(chain->refusal);
		}
	} else if (found.crl) {
		s->chain = g_steal_pointer(&chain);
		s->crl = found.crl;
	} else if (s->no_crl == PVS_ERROR_LAST_ || pvs_crls_is_closer(found.reason, s->no_crl)) {
		s->no_crl = found.reason;
	}
}

/* One of the certificates of the key that signed the document must hold, and have a CRL. */
static gboolean check_signing_keys(const PvsGrounds *c, X509 *document,
				   const GPtrArray *signing_keys, PvsVerdict *verdict,
				   GError **error)
{
	g_auto(Standing) s = {.no_crl = PVS_ERROR_LAST_, .next = G_MAXINT64};

	for (guint i = 0; i < signing_keys->len; i++)
		look_at_signing_key(&s, c, document, signing_keys->pdata[i]);
	if (!s.chain && s.no_crl != PVS_ERROR_LAST_)
		return pvs_fail(error, s.no_crl, NULL, PVS_LEVEL_SIGNING_KEY);
	if (!s.chain) {
		g_propagate_error(error, g_steal_pointer(&s.broken));
		return FALSE;
	}
	if (s.revoked)
		return refuse(error, PVS_ERROR_HOST_KEY_REVOKED);
	rest_on_chain(verdict, s.chain);
	rest_on(verdict, pvs_link_of_crl(s.crl));
	verdict->until = MIN(verdict->until, s.next);
	return TRUE;
}

/* The signed bytes as they stand in the document, and the signature over them. */
static gboolean take_signed_bytes(X509 *document, PvsVerdict *verdict)
{
	const ASN1_BIT_STRING *signature;
	guint8 *der = NULL;
	const guint8 *p, *tbs;
	long length;
	int size, tag, class;

	/* Not i2d_re_X509_tbs(): that would write them anew. The encoding of the whole has them as
	 * they were read. */
	size = i2d_X509(document, &der);
	p = der;
	if (size <= 0 || (ASN1_get_object(&p, &length, &tag, &class, size) & 0x80)) {
		OPENSSL_free(der);
		return FALSE;
	}
	tbs = p;
	if (ASN1_get_object(&p, &length, &tag, &class, size - (p - der)) & 0x80) {
		OPENSSL_free(der);
		return FALSE;
	}
	verdict->tbs = g_bytes_new(tbs, (gsize)(p - tbs) + (gsize)length);
	OPENSSL_free(der);
	X509_get0_signature(&signature, NULL, document);
	verdict->signature =
		g_bytes_new(ASN1_STRING_get0_data(signature), (gsize)ASN1_STRING_length(signature));
	return TRUE;
}

static PvsVerdict *verdict_new(void)
{
	PvsVerdict *verdict = g_new0(PvsVerdict, 1);

	verdict->refs = 1;
	verdict->from = G_MININT64;
	verdict->until = G_MAXINT64;
	verdict->links = g_ptr_array_new_with_free_func((GDestroyNotify)pvs_link_free);
	return verdict;
}

static gboolean reach(const PvsGrounds *c, X509 *document, PvsVerdict *verdict, GError **error)
{
	g_autoptr(GPtrArray) signing_keys = NULL;

	if (!check_key(document, verdict, error) || !check_form(document, verdict, error))
		return FALSE;
	signing_keys = find_signing_keys(c, document, error);
	if (!signing_keys || !check_dates(document, c->now, verdict, error))
		return FALSE;
	rest_on(verdict, pvs_link_of_cert("host-key", document));
	if (!check_signing_keys(c, document, signing_keys, verdict, error))
		return FALSE;
	if (!take_signed_bytes(document, verdict))
		return refuse(error, PVS_ERROR_INTERNAL);
	verdict->subject = pvs_x509_name(X509_get_subject_name(document));
	return TRUE;
}

PvsVerdict *pvs_verdict_reach_on(const PvsGrounds *c, const guint8 *data, gsize size,
				 GError **error)
{
	g_autoptr(PvsVerdict) verdict = verdict_new();
	g_autoptr(X509) document = pvs_x509_read_document(data, size, error);
	gboolean good;

	if (!document)
		return NULL;
	good = reach(c, document, verdict, error);
	ERR_clear_error();
	return good ? g_steal_pointer(&verdict) : NULL;
}

PvsVerdict *pvs_verdict_reach(const PvsStore *store, const PvsMarks *marks, const guint8 *data,
			      gsize size, PvsX509Stack *extra_certs, PvsCrlStack *extra_crls,
			      gint64 now, GError **error)
{
	const PvsGrounds c = {
		.store = store,
		.extra_certs = extra_certs,
		.crls = {store, extra_crls, marks, now},
		.now = now,
	};

	return pvs_verdict_reach_on(&c, data, size, error);
}

PvsVerdict *pvs_verdict_unverified(const guint8 *data, gsize size, gint64 now, GError **error)
{
	g_autoptr(PvsVerdict) verdict = verdict_new();
	g_autoptr(X509) document = pvs_x509_read_document(data, size, error);
	gboolean good;

	if (!document)
		return NULL;
	good = check_key(document, verdict, error);
	if (good && !pvs_x509_time(X509_get0_notAfter(document), &verdict->not_after))
		good = refuse(error, PVS_ERROR_HOST_KEY_FORMAT);
	verdict->until = now + UNVERIFIED_FOR;
	verdict->subject = pvs_x509_name(X509_get_subject_name(document));
	ERR_clear_error();
	return good ? g_steal_pointer(&verdict) : NULL;
}

/* ---- warming up ---- */

/* A certificate of its own key, for nothing but being looked at. */
static X509 *any_certificate(void)
{
	g_autoptr(EVP_PKEY) key = EVP_EC_gen(SN_secp521r1);
	g_autoptr(X509) cert = X509_new();
	static const guint8 name[] = "warming up";

	return key && cert && X509_set_version(cert, X509_VERSION_3) == 1 &&
			       ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 &&
			       X509_NAME_add_entry_by_NID(X509_get_subject_name(cert),
							  NID_commonName, MBSTRING_UTF8, name, -1,
							  -1, 0) == 1 &&
			       X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1 &&
			       ASN1_TIME_set(X509_getm_notBefore(cert), 0) &&
			       ASN1_TIME_set(X509_getm_notAfter(cert), 60) &&
			       X509_set_pubkey(cert, key) == 1 &&
			       X509_sign(cert, key, EVP_sha512()) > 0
		       ? g_steal_pointer(&cert)
		       : NULL;
}

/* A signature by RSA that cannot hold: the way to that answer is the one that matters. */
static gboolean try_rsa(void)
{
	guint8 modulus[384], signature[sizeof modulus] = {0};
	guint exponent = 65537;
	g_autoptr(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	g_autoptr(EVP_PKEY) key = NULL;
	g_autoptr(EVP_MD_CTX) md = EVP_MD_CTX_new();
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus, sizeof modulus),
		OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &exponent),
		OSSL_PARAM_construct_end(),
	};

	memset(modulus, 0xa5, sizeof modulus); /* large and odd, in either order of bytes */
	return ctx && md && EVP_PKEY_fromdata_init(ctx) == 1 &&
	       EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1 &&
	       EVP_DigestVerifyInit(md, NULL, EVP_sha512(), NULL, key) == 1 &&
	       EVP_DigestVerify(md, signature, sizeof signature, modulus, sizeof modulus) != 1;
}

gboolean pvs_verdict_warm_up(const PvsStore *store)
{
	const PvsGrounds c = {.store = store, .crls = {.store = store}};
	g_autoptr(PvsVerdict) verdict = verdict_new();
	g_autoptr(X509) cert = any_certificate();
	g_autoptr(GPtrArray) none = NULL;
	g_autoptr(PvsChain) chain = NULL;
	gboolean good;

	/* What matters is that all of it runs; none of it can hold. */
	good = cert && X509_verify(cert, X509_get0_pubkey(cert)) == 1 &&
	       check_key(cert, verdict, NULL) && take_signed_bytes(cert, verdict) && try_rsa() &&
	       !pvs_crls_look_up(&c.crls, cert, cert).crl;
	chain = cert ? pvs_chain_reach(&c, cert) : NULL;
	good = good && chain && chain->refusal;
	if (good)
		none = find_signing_keys(&c, cert, NULL);
	ERR_clear_error();
	return good;
}
