/* SPDX-License-Identifier: MIT */
/*
 * judge.c - whether what came is a CRL that the daemon can use
 */
#include "fetcher/judge.h"

#include "daemon/trust/crls.h"
#include "daemon/trust/x509.h"

struct PvsJudge {
	/* What the daemon looks a CRL up in, without any of its own: so the one that came is judged
	 * for itself. */
	PvsStore *nothing;
	guint entries;
	gint64 now;
};

PvsJudge *pvs_judge_new(guint entries, gint64 now, GError **error)
{
	g_autoptr(PvsStoreFiles) none = pvs_store_files_none();
	PvsStore *nothing = pvs_store_new(none, error);
	PvsJudge *judge;

	if (!nothing)
		return NULL;
	judge = g_new0(PvsJudge, 1);
	judge->nothing = nothing;
	judge->entries = entries;
	judge->now = now;
	return judge;
}

void pvs_judge_free(PvsJudge *judge)
{
	if (!judge)
		return;
	pvs_store_free(judge->nothing);
	g_free(judge);
}

X509_CRL *pvs_judge_read(const guint8 *data, gsize size)
{
	g_autoptr(PvsX509Stack) certs = sk_X509_new_null();
	g_autoptr(PvsCrlStack) crls = sk_X509_CRL_new_null();

	if (!pvs_x509_read(data, size, certs, crls) || sk_X509_num(certs) > 0 ||
	    sk_X509_CRL_num(crls) != 1)
		return NULL;
	return sk_X509_CRL_shift(crls);
}

/* What the rows of protocol/error.h say of a verification, said of the CRL. */
static const char *sentence_of(PvsError reason)
{
	switch (reason) {
	case PVS_ERROR_CRL_MISSING:
		return "it is not a CRL of the issuer of the certificates that name it, or not "
		       "about "
		       "them";
	case PVS_ERROR_CRL_NOT_YET:
		return "the CRL is not valid yet; check this machine's clock";
	case PVS_ERROR_CRL_EXPIRED:
		return "the CRL has expired";
	default:
		return "the CRL is not signed by its issuer, or is of a kind that the daemon does "
		       "not "
		       "use";
	}
}

X509_CRL *pvs_judge_body(const PvsJudge *judge, const PvsPoint *point, GBytes *body, X509 **issuer,
			 GError **error)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(body, &size);
	g_autoptr(X509_CRL) crl = pvs_judge_read(data, size);
	g_autoptr(PvsCrlStack) extra = sk_X509_CRL_new_null();
	const PvsCrls crls = {.store = judge->nothing, .extra = extra, .now = judge->now};
	PvsError reason = PVS_ERROR_CRL_MISSING;

	if (!crl) {
		g_set_error_literal(error, PVS_ERROR, PVS_ERROR_CRL_SIGNATURE,
				    "what came is not one CRL in DER or PEM");
		return NULL;
	}
	/* The daemon would pass over it. */
	if (sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)) > (int)judge->entries) {
		g_set_error(error, PVS_ERROR, PVS_ERROR_CRL_SIGNATURE,
			    "the CRL has more than %u entries; raise CrlEntries=", judge->entries);
		return NULL;
	}
	if (!X509_CRL_up_ref(crl) || sk_X509_CRL_push(extra, crl) <= 0)
		g_error("out of memory");
	for (guint i = 0; i < point->claims->len; i++) {
		const PvsClaim *claim = &g_array_index(point->claims, PvsClaim, i);
		PvsCrlFound found = pvs_crls_look_up(&crls, claim->issuer, claim->cert);

		if (found.crl) {
			*issuer = claim->issuer;
			return g_steal_pointer(&crl);
		}
		if (reason == PVS_ERROR_CRL_MISSING)
			reason = found.reason;
	}
	g_set_error_literal(error, PVS_ERROR, reason, sentence_of(reason));
	return NULL;
}
