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
	case PVS_ERROR_CRL_ROLLED_BACK:
		return 4;
	default:
		return 0;
	}
}

gboolean pvs_crls_is_closer(PvsError reason, PvsError other)
{
	return closeness(reason) > closeness(other);
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

/* Whether @crl speaks of @cert (NULL: of some that is no authority's); OF_NO_USE for one that is
 * never enough by itself. */
static Scope scope_of(X509_CRL *crl, X509 *cert)
{
	int critical = -1;
	g_autoptr(ISSUING_DIST_POINT) scope =
		X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &critical, NULL);
	gboolean is_ca = cert && (X509_get_extension_flags(cert) & EXFLAG_CA) != 0;

	if (!scope)
		return critical == -1 ? OF_IT : OF_NO_USE; /* absent; else it cannot be read */
	if (scope->indirectCRL > 0 || scope->onlysomereasons || scope->onlyattr > 0)
		return OF_NO_USE;
	if (is_ca ? scope->onlyuser > 0 : scope->onlyCA > 0)
		return OF_OTHERS;
	if (!cert)
		return OF_IT;
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

/* A CRL, and what is known of it already. */
typedef struct {
	X509_CRL *crl;
	gboolean bad_entry;
	enum { NOT_ASKED, SIGNED, NOT_SIGNED } signature;
} Candidate;

static gboolean signature_holds(const Candidate *c, X509 *issuer)
{
	return c->signature == NOT_ASKED ? pvs_x509_crl_is_signed(c->crl, issuer)
					 : c->signature == SIGNED;
}

static gboolean is_usable(const Candidate *c, X509 *issuer, gint64 now, PvsError *reason)
{
	gint64 from, until;

	if (c->bad_entry || !is_whole(c->crl) || !akid_fits(c->crl, issuer) ||
	    !pvs_x509_time(X509_CRL_get0_lastUpdate(c->crl), &from) ||
	    !pvs_x509_time(X509_CRL_get0_nextUpdate(c->crl), &until) || !signature_holds(c, issuer))
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

/* What is looked for, and what was found so far. */
typedef struct {
	const PvsCrls *crls;
	X509 *issuer, *cert;
	gboolean marked; /* the issuer is one of those whose CRLs are marked */
	X509_CRL *newest;
	gboolean listed;
	PvsError reason; /* why there is none, where there is none */
	gint64 next;	 /* that is not valid yet */
} Search;

static void fail_with(Search *s, PvsError why)
{
	if (closeness(why) > closeness(s->reason))
		s->reason = why;
}

/* It is signed, and will be heard from a time on that may come before the end of what is found now:
 * whom it revokes is good until then and no longer. */
static void see_next(Search *s, const X509_CRL *crl)
{
	gint64 from;

	if (pvs_x509_time(X509_CRL_get0_lastUpdate(crl), &from))
		s->next = MIN(s->next, from);
}

static void consider(Search *s, const Candidate *c)
{
	Scope scope = scope_of(c->crl, s->cert);
	PvsError why = PVS_ERROR_CRL_SIGNATURE;
	X509_REVOKED *entry;

	if (scope == OF_OTHERS)
		return;
	if (scope == OF_NO_USE || !is_usable(c, s->issuer, s->crls->now, &why)) {
		fail_with(s, why);
		if (why == PVS_ERROR_CRL_NOT_YET)
			see_next(s, c->crl);
		return;
	}
	if (s->marked && pvs_marks_is_rolled_back(s->crls->marks, s->issuer, c->crl))
		fail_with(s, PVS_ERROR_CRL_ROLLED_BACK);
	else if (!s->newest || is_newer(c->crl, s->newest))
		s->newest = c->crl;
	/* Any entry counts, also that of one that is on hold or was. By the number alone: whose CRL
	 * it is was settled above, and X509_CRL_get0_by_cert() finds nothing where it goes by
	 * another form of the issuer's name than the certificate. */
	if (s->cert && X509_CRL_get0_by_serial(c->crl, &entry, X509_get0_serialNumber(s->cert)) > 0)
		s->listed = TRUE;
}

/* An issuer that is not of the store, which a client brought: nothing is known of it. */
static void consider_by_name(Search *s)
{
	for (guint i = 0; i < pvs_store_n_crls(s->crls->store); i++) {
		const PvsStoreCrl *entry = pvs_store_crl(s->crls->store, i);
		const Candidate c = {entry->crl, entry->bad_entry, NOT_ASKED};

		if (pvs_x509_crl_names(entry->crl, s->issuer))
			consider(s, &c);
	}
}

static void consider_issued(Search *s, const GArray *issued)
{
	for (guint i = 0; i < issued->len; i++) {
		const PvsIssuedCrl *one = &g_array_index(issued, PvsIssuedCrl, i);
		const Candidate c = {one->crl->crl, one->crl->bad_entry,
				     one->is_signed ? SIGNED : NOT_SIGNED};

		consider(s, &c);
	}
}

static void consider_brought(Search *s)
{
	for (int i = 0; s->crls->extra && i < sk_X509_CRL_num(s->crls->extra); i++) {
		X509_CRL *crl = sk_X509_CRL_value(s->crls->extra, i);

		if (pvs_x509_crl_names(crl, s->issuer)) {
			const Candidate c = {crl, pvs_x509_crl_has_critical_entry(crl), NOT_ASKED};

			consider(s, &c);
		}
	}
}

PvsCrlFound pvs_crls_look_up(const PvsCrls *crls, X509 *issuer, X509 *cert)
{
	const GArray *issued = pvs_store_issued_by(crls->store, issuer);
	Search s = {
		.crls = crls,
		.issuer = issuer,
		.cert = cert,
		.marked = crls->marks && pvs_store_is_signing_key(issuer),
		.reason = PVS_ERROR_CRL_MISSING,
		.next = G_MAXINT64,
	};

	if (issued)
		consider_issued(&s, issued);
	else
		consider_by_name(&s);
	consider_brought(&s);
	ERR_clear_error();
	return (PvsCrlFound){
		.crl = s.newest, .reason = s.reason, .revoked = s.listed, .next = s.next};
}

static gboolean has_dates(const X509_CRL *crl)
{
	gint64 ignored;

	return pvs_x509_time(X509_CRL_get0_lastUpdate(crl), &ignored) &&
	       pvs_x509_time(X509_CRL_get0_nextUpdate(crl), &ignored);
}

/* TRUE where it speaks of some certificate, of an authority or not. */
static gboolean speaks_of_any(X509_CRL *crl)
{
	return scope_of(crl, NULL) != OF_NO_USE;
}

const char *pvs_crls_flaw(X509_CRL *crl, gboolean bad_entry, X509 *issuer)
{
	const char *flaw = NULL;

	if (bad_entry)
		flaw = "an entry of it has a critical extension";
	else if (!is_whole(crl))
		flaw = "it is a delta, or has a critical extension that is not known";
	else if (!speaks_of_any(crl))
		flaw = "it is indirect, or for some reasons or attributes only";
	else if (!has_dates(crl))
		flaw = "it does not say until when it holds";
	else if (!akid_fits(crl, issuer))
		flaw = "its authority key id is not that of its issuer";
	ERR_clear_error();
	return flaw;
}

PvsError pvs_crls_judge(const PvsCrls *crls, const PvsStoreCrl *entry)
{
	const Candidate c = {entry->crl, entry->bad_entry, entry->signer ? SIGNED : NOT_SIGNED};
	PvsError reason = PVS_ERROR_LAST_;

	if (!entry->signer || !speaks_of_any(entry->crl))
		reason = PVS_ERROR_CRL_SIGNATURE;
	else if (is_usable(&c, entry->signer, crls->now, &reason))
		reason = crls->marks && pvs_store_is_signing_key(entry->signer) &&
					 pvs_marks_is_rolled_back(crls->marks, entry->signer,
								  entry->crl)
				 ? PVS_ERROR_CRL_ROLLED_BACK
				 : PVS_ERROR_LAST_;
	ERR_clear_error();
	return reason;
}

gboolean pvs_crls_see_all(const PvsStore *store, PvsMarks *marks, gint64 now, GError **error)
{
	gboolean raised = FALSE;

	for (guint i = 0; i < pvs_store_n_certs(store); i++) {
		const PvsStoreCert *entry = pvs_store_cert(store, i);
		const GArray *issued = pvs_store_issued_by(store, entry->cert);

		for (guint j = 0; entry->kind == PVS_CERT_SIGNING_KEY && j < issued->len; j++) {
			const PvsIssuedCrl *one = &g_array_index(issued, PvsIssuedCrl, j);
			const Candidate c = {one->crl->crl, one->crl->bad_entry,
					     one->is_signed ? SIGNED : NOT_SIGNED};
			g_autoptr(GError) local = NULL;
			PvsError ignored;

			/* One that no document can rest on says of none how new it has to be. */
			if (scope_of(c.crl, NULL) != OF_IT ||
			    !is_usable(&c, entry->cert, now, &ignored))
				continue;
			if (pvs_marks_see(marks, entry->cert, c.crl, &local))
				raised = TRUE;
			if (local && error && !*error)
				*error = g_steal_pointer(&local);
		}
	}
	return raised;
}
