/* SPDX-License-Identifier: MIT */
/*
 * crls.c - which CRLs may be used at a verification
 */
#include "daemon/trust/crls.h"

#include <openssl/err.h>

#include "daemon/trust/x509.h"

/* How close a CRL came to being used, from farthest to closest. */
static guint closeness(PvsError reason)
{
	switch (reason) {
	case PVS_ERROR_CRL_SIGNATURE:
		return 1;
	case PVS_ERROR_CRL_NOT_YET:
		return 2;
	case PVS_ERROR_CRL_EXPIRED:
		return 3;
	default:
		return 0;
	}
}

static gboolean issued_by(X509_CRL *crl, X509 *issuer)
{
	return X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)) == 0;
}

/* Critical extensions change what a CRL says. Two are known here: whose it is, and what it speaks
 * of. A delta says only what is new, whether it is marked critical or not. */
static gboolean is_whole(const X509_CRL *crl)
{
	for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
		X509_EXTENSION *ext = X509_CRL_get_ext(crl, i);
		int nid = OBJ_obj2nid(X509_EXTENSION_get_object(ext));

		if (nid == NID_delta_crl ||
		    (X509_EXTENSION_get_critical(ext) && nid != NID_authority_key_identifier &&
		     nid != NID_issuing_distribution_point))
			return FALSE;
	}
	return TRUE;
}

static gboolean share_a_name(const GENERAL_NAMES *some, const GENERAL_NAMES *others)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(some); i++)
		for (int j = 0; j < sk_GENERAL_NAME_num(others); j++)
			if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(some, i),
					     sk_GENERAL_NAME_value(others, j)) == 0)
				return TRUE;
	return FALSE;
}

/* TRUE where @cert says that it is (also) listed at @place, for all reasons and by its own issuer.
 * Names relative to the issuer, which nobody uses, are not understood: no match. */
static gboolean is_listed_at(X509 *cert, const DIST_POINT_NAME *place)
{
	g_autoptr(CRL_DIST_POINTS) points =
		X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);

	for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT *point = sk_DIST_POINT_value(points, i);

		if (!point->reasons && !point->CRLissuer && point->distpoint &&
		    point->distpoint->type == 0 && place->type == 0 &&
		    share_a_name(point->distpoint->name.fullname, place->name.fullname))
			return TRUE;
	}
	return FALSE;
}

typedef enum { OF_IT, OF_OTHERS, OF_NO_USE } Scope;

/* Whether @crl speaks of @cert; OF_NO_USE for one that is never enough by itself. */
static Scope scope_of(X509_CRL *crl, X509 *cert)
{
	int critical = -1;
	g_autoptr(ISSUING_DIST_POINT) scope =
		X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &critical, NULL);
	gboolean is_ca = (X509_get_extension_flags(cert) & EXFLAG_CA) != 0;

	if (!scope)
		return critical == -1 ? OF_IT : OF_NO_USE; /* absent; else it cannot be read */
	if (scope->indirectCRL > 0 || scope->onlysomereasons || scope->onlyattr > 0)
		return OF_NO_USE;
	if (is_ca ? scope->onlyuser > 0 : scope->onlyCA > 0)
		return OF_OTHERS;
	return !scope->distpoint || is_listed_at(cert, scope->distpoint) ? OF_IT : OF_OTHERS;
}

static gboolean akid_fits(X509_CRL *crl, X509 *issuer)
{
	int critical = -1;
	g_autoptr(AUTHORITY_KEYID) akid =
		X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, &critical, NULL);

	if (!akid)
		return critical == -1; /* absent; -2: several, other: cannot be read */
	return X509_check_akid(issuer, akid) == X509_V_OK;
}

static gboolean signature_holds(X509_CRL *crl, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	/* X509_CRL_verify() itself takes any digest. */
	return key && pvs_x509_strong(X509_CRL_get_signature_nid(crl)) &&
	       X509_CRL_verify(crl, key) == 1;
}

static gboolean is_usable(X509_CRL *crl, gboolean bad_entry, X509 *issuer, gint64 now,
			  PvsError *reason)
{
	gint64 from, until;

	if (bad_entry || !is_whole(crl) || !akid_fits(crl, issuer) ||
	    !pvs_x509_time(X509_CRL_get0_lastUpdate(crl), &from) ||
	    !pvs_x509_time(X509_CRL_get0_nextUpdate(crl), &until) || !signature_holds(crl, issuer))
		*reason = PVS_ERROR_CRL_SIGNATURE;
	else if (from > now)
		*reason = PVS_ERROR_CRL_NOT_YET;
	else if (until <= now) /* as OpenSSL has it: at nextUpdate itself it is over */
		*reason = PVS_ERROR_CRL_EXPIRED;
	else
		return TRUE;
	return FALSE;
}

/* Of two that may both be used. */
static gboolean is_newer(const X509_CRL *one, const X509_CRL *other)
{
	gint64 a = 0, b = 0;

	return pvs_x509_time(X509_CRL_get0_lastUpdate(one), &a) &&
	       pvs_x509_time(X509_CRL_get0_lastUpdate(other), &b) && a > b;
}

X509_CRL *pvs_crls_look_up(const PvsCrls *crls, X509 *issuer, X509 *cert, gboolean *revoked,
			   PvsError *reason)
{
	guint n_store = pvs_store_n_crls(crls->store);
	guint n_extra = crls->extra ? (guint)sk_X509_CRL_num(crls->extra) : 0;
	X509_CRL *newest = NULL;
	gboolean listed = FALSE;

	*reason = PVS_ERROR_CRL_MISSING;
	for (guint i = 0; i < n_store + n_extra; i++) {
		const PvsStoreCrl *stored = i < n_store ? pvs_store_crl(crls->store, i) : NULL;
		X509_CRL *crl =
			stored ? stored->crl : sk_X509_CRL_value(crls->extra, (int)(i - n_store));
		X509_REVOKED *entry;
		Scope scope;
		PvsError why = PVS_ERROR_CRL_SIGNATURE;

		if (!issued_by(crl, issuer))
			continue;
		scope = scope_of(crl, cert);
		if (scope == OF_OTHERS)
			continue;
		if (scope == OF_NO_USE ||
		    !is_usable(crl,
			       stored ? stored->bad_entry : pvs_x509_crl_has_critical_entry(crl),
			       issuer, crls->now, &why)) {
			if (closeness(why) > closeness(*reason))
				*reason = why;
			continue;
		}
		if (!newest || is_newer(crl, newest))
			newest = crl;
		/* Any entry counts, also that of one that is on hold or was. */
		if (X509_CRL_get0_by_cert(crl, &entry, cert) > 0)
			listed = TRUE;
	}
	ERR_clear_error();
	if (revoked)
		*revoked = listed;
	return newest;
}
