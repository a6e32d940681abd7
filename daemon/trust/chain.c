/* SPDX-License-Identifier: MIT */
/*
 * chain.c - from an installed signing key to a root CA, and the CRLs on the way
 */
#include "daemon/trust/chain.h"

#include <openssl/err.h>

#include "daemon/trust/x509.h"

enum {
	CHAIN_MIN = 3, /* signing key, intermediate, root */
	CHAIN_MAX = 4,
};

/* What a path validation is given on its way, and what it used. */
typedef struct {
	const PvsGrounds *c;
	GPtrArray *crls; /* of X509_CRL, not owned */
	PvsError no_crl; /* why there was none, where it ended for want of one */
	gint64 next;	 /* when a CRL begins that will have to be heard */
} Path;

/* ---- links ---- */

void pvs_link_free(PvsLink *link)
{
	g_free(link->role);
	g_free(link->subject);
	g_free(link->serial);
	g_free(link);
}

static PvsLink *link_of(const char *role, const X509_NAME *subject, const ASN1_INTEGER *serial,
			const ASN1_TIME *from, const ASN1_TIME *until)
{
	PvsLink *link = g_new0(PvsLink, 1);

	link->role = g_strdup(role);
	link->subject = pvs_x509_name(subject);
	link->serial = pvs_x509_serial(serial);
	/* What cannot be read is over: it was checked before, and must not make a verdict last. */
	if (!pvs_x509_time(from, &link->from) || !pvs_x509_time(until, &link->until))
		link->until = 0;
	return link;
}

PvsLink *pvs_link_of_cert(const char *role, X509 *cert)
{
	return link_of(role, X509_get_subject_name(cert), X509_get0_serialNumber(cert),
		       X509_get0_notBefore(cert), X509_get0_notAfter(cert));
}

PvsLink *pvs_link_of_crl(X509_CRL *crl)
{
	g_autoptr(ASN1_INTEGER) number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);

	return link_of("crl", X509_CRL_get_issuer(crl), number, X509_CRL_get0_lastUpdate(crl),
		       X509_CRL_get0_nextUpdate(crl));
}

PvsLink *pvs_link_copy(const PvsLink *link)
{
	PvsLink *copy = g_memdup2(link, sizeof *link);

	copy->role = g_strdup(link->role);
	copy->subject = g_strdup(link->subject);
	copy->serial = g_strdup(link->serial);
	return copy;
}

static void rest_on(PvsChain *chain, PvsLink *link)
{
	chain->from = MAX(chain->from, link->from);
	chain->until = MIN(chain->until, link->until);
	g_ptr_array_add(chain->links, link);
}

/* ---- what was found ---- */

static PvsChain *chain_new(void)
{
	PvsChain *chain = g_rc_box_new0(PvsChain);

	chain->from = G_MININT64;
	chain->until = G_MAXINT64;
	chain->links = g_ptr_array_new_with_free_func((GDestroyNotify)pvs_link_free);
	return chain;
}

PvsChain *pvs_chain_ref(PvsChain *chain)
{
	return g_rc_box_acquire(chain);
}

static void chain_clear(gpointer data)
{
	PvsChain *chain = data;

	g_ptr_array_unref(chain->links);
	g_clear_error(&chain->refusal);
	g_free(chain->subject);
	g_free(chain->point);
}

void pvs_chain_unref(PvsChain *chain)
{
	if (chain)
		g_rc_box_release_full(chain, chain_clear);
}

/* For this second alone: what is not valid yet may be in the next one. */
static void refuse(PvsChain *chain, PvsError code, const char *level, gint64 now)
{
	pvs_fail(&chain->refusal, code, NULL, level);
	chain->from = now;
	chain->until = now + 1;
}

/* ---- path validation ---- */

/* All certificates that may be links: those in the store's trust directory and the client's. Roots
 * are not among them: these are trusted, and stand in the X509_STORE. Not owned. */
static STACK_OF(X509) * links_of(const PvsGrounds *c)
{
	STACK_OF(X509) *links = sk_X509_new_null();

	for (guint i = 0; i < pvs_store_n_certs(c->store); i++)
		if (pvs_store_cert(c->store, i)->kind == PVS_CERT_INTERMEDIATE)
			sk_X509_push(links, pvs_store_cert(c->store, i)->cert);
	for (int i = 0; c->extra_certs && i < sk_X509_num(c->extra_certs); i++)
		sk_X509_push(links, sk_X509_value(c->extra_certs, i));
	return links;
}

/* OpenSSL asks for the CRLs of the authority that issued the certificate it is at. It gets one: the
 * newest that may be used, so that no other can stand in its way. */
static STACK_OF(X509_CRL) *
	look_up_crls(const X509_STORE_CTX *ctx, const X509_NAME *issuer G_GNUC_UNUSED)
{
	Path *path = X509_STORE_CTX_get_app_data(ctx);
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	int at = X509_STORE_CTX_get_error_depth(ctx), n = sk_X509_num(chain);
	STACK_OF(X509_CRL) *stack = sk_X509_CRL_new_null();
	PvsCrlFound found = {.reason = PVS_ERROR_CRL_MISSING, .next = G_MAXINT64};

	/* The root is its own issuer. */
	if (at >= 0 && at < n)
		found = pvs_crls_look_up(&path->c->crls, sk_X509_value(chain, MIN(at + 1, n - 1)),
					 sk_X509_value(chain, at));
	path->no_crl = found.reason;
	path->next = MIN(path->next, found.next);
	if (stack && found.crl && sk_X509_CRL_push(stack, found.crl) > 0) {
		X509_CRL_up_ref(found.crl);
		if (!g_ptr_array_find(path->crls, found.crl, NULL))
			g_ptr_array_add(path->crls, found.crl);
	}
	return stack;
}

/* Which one it is about, at the depth at which the validation ended. */
typedef enum { ITSELF, ITS_ISSUER, ITS_CRL } Concern;

static const struct {
	int error; /* X509_V_ERR_... */
	PvsError code;
	Concern concern;
} reasons[] = {
	{X509_V_ERR_CERT_HAS_EXPIRED, PVS_ERROR_SIGNING_KEY_EXPIRED, ITSELF},
	{X509_V_ERR_CERT_NOT_YET_VALID, PVS_ERROR_SIGNING_KEY_EXPIRED, ITSELF},
	{X509_V_ERR_CERT_REVOKED, PVS_ERROR_SIGNING_KEY_REVOKED, ITSELF},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, PVS_ERROR_SIGNING_KEY_UNTRUSTED, ITS_ISSUER},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, PVS_ERROR_SIGNING_KEY_UNTRUSTED, ITS_ISSUER},
	{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, PVS_ERROR_SIGNING_KEY_UNTRUSTED, ITS_ISSUER},
	{X509_V_ERR_UNABLE_TO_GET_CRL, PVS_ERROR_LAST_, ITS_CRL}, /* as the look-up said */
	/* What may be used by itself, and may not at its place. */
	{X509_V_ERR_CRL_SIGNATURE_FAILURE, PVS_ERROR_CRL_SIGNATURE, ITS_CRL},
	{X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, PVS_ERROR_CRL_SIGNATURE, ITS_CRL},
	{X509_V_ERR_KEYUSAGE_NO_CRL_SIGN, PVS_ERROR_CRL_SIGNATURE, ITS_CRL},
	{X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION, PVS_ERROR_CRL_SIGNATURE, ITS_CRL},
	{X509_V_ERR_DIFFERENT_CRL_SCOPE, PVS_ERROR_CRL_SIGNATURE, ITS_CRL},
	{X509_V_ERR_CRL_PATH_VALIDATION_ERROR, PVS_ERROR_CRL_SIGNATURE, ITS_CRL},
	/* Anything else: */
	{X509_V_OK, PVS_ERROR_SIGNING_KEY_UNTRUSTED, ITSELF},
};

static const char *level_of(X509 *cert, int depth)
{
	if (depth == 0)
		return PVS_LEVEL_SIGNING_KEY;
	return X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)) == 0
		       ? PVS_LEVEL_ROOT
		       : PVS_LEVEL_INTERMEDIATE;
}

/* Above a signing key stands an intermediate, and above that most likely the root. */
static const char *level_above(int depth)
{
	return depth == 0 ? PVS_LEVEL_INTERMEDIATE : PVS_LEVEL_ROOT;
}

static void explain(const Path *path, X509_STORE_CTX *ctx, PvsChain *found)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	int error = X509_STORE_CTX_get_error(ctx), n = sk_X509_num(chain);
	int at = CLAMP(X509_STORE_CTX_get_error_depth(ctx), 0, MAX(n - 1, 0));
	int above = MIN(at + 1, MAX(n - 1, 0));
	X509 *cert = sk_X509_value(chain, at), *issuer = sk_X509_value(chain, above);
	gsize row = 0;
	PvsError code;

	while (row < G_N_ELEMENTS(reasons) - 1 && reasons[row].error != error)
		row++;
	code = reasons[row].code == PVS_ERROR_LAST_ ? path->no_crl : reasons[row].code;
	if (!cert || !issuer) {
		refuse(found, code, NULL, path->c->now);
	} else if (reasons[row].concern == ITS_ISSUER) {
		refuse(found, code, level_above(at), path->c->now);
		found->subject = pvs_x509_name(X509_get_issuer_name(cert));
	} else if (reasons[row].concern == ITS_CRL) {
		refuse(found, code, level_of(issuer, above), path->c->now);
		found->subject = pvs_x509_name(X509_get_subject_name(issuer));
		found->point = pvs_x509_crl_point(cert);
	} else {
		refuse(found, code, level_of(cert, at), path->c->now);
		found->subject = pvs_x509_name(X509_get_subject_name(cert));
	}
}

/* A store of its own for each verification: nothing of one stays behind for the next. No default
 * paths, no directory to look in, and nothing trusted but the owner's roots. */
static X509_STORE *roots_of(const PvsGrounds *c)
{
	g_autoptr(X509_STORE) roots = X509_STORE_new();

	if (!roots)
		return NULL;
	for (guint i = 0; i < pvs_store_n_certs(c->store); i++)
		if (pvs_store_cert(c->store, i)->kind == PVS_CERT_ROOT &&
		    X509_STORE_add_cert(roots, pvs_store_cert(c->store, i)->cert) != 1)
			return NULL;
	X509_STORE_set_lookup_crls(roots, look_up_crls);
	return g_steal_pointer(&roots);
}

static gboolean set_up(X509_STORE_CTX *ctx, Path *path)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);

	X509_VERIFY_PARAM_set_time(param, (time_t)path->c->now);
	X509_VERIFY_PARAM_set_auth_level(param, 2);
	/* Both CRL flags: either by itself checks less than it says. Not POLICY_CHECK, which buys
	 * nothing here and costs time that others choose, and not PARTIAL_CHAIN. */
	return X509_STORE_CTX_set_app_data(ctx, path) == 1 &&
	       X509_VERIFY_PARAM_set_flags(
		       param, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL |
				      X509_V_FLAG_X509_STRICT | X509_V_FLAG_TRUSTED_FIRST |
				      X509_V_FLAG_CHECK_SS_SIGNATURE) == 1;
}

/* The chain found: its length, and what it rests on. */
static void take_chain(const Path *path, STACK_OF(X509) * chain, PvsChain *found)
{
	int n = sk_X509_num(chain);

	if (n < CHAIN_MIN || n > CHAIN_MAX) {
		/* One that is missing, or one too many. */
		refuse(found, PVS_ERROR_SIGNING_KEY_UNTRUSTED, PVS_LEVEL_INTERMEDIATE,
		       path->c->now);
		return;
	}
	for (int i = 0; i < n; i++)
		rest_on(found, pvs_link_of_cert(i == 0	     ? PVS_LEVEL_SIGNING_KEY
						: i == n - 1 ? PVS_LEVEL_ROOT
							     : PVS_LEVEL_INTERMEDIATE,
						sk_X509_value(chain, i)));
	for (guint i = 0; i < path->crls->len; i++)
		rest_on(found, pvs_link_of_crl(path->crls->pdata[i]));
	found->until = MIN(found->until, path->next);
}

static PvsChain *reach(const PvsGrounds *c, X509 *signing_key)
{
	g_autoptr(X509_STORE) roots = roots_of(c);
	g_autoptr(X509_STORE_CTX) ctx = X509_STORE_CTX_new();
	g_autoptr(GPtrArray) crls = g_ptr_array_new();
	STACK_OF(X509) *links = links_of(c);
	Path path = {.c = c, .crls = crls, .no_crl = PVS_ERROR_CRL_MISSING, .next = G_MAXINT64};
	PvsChain *found = chain_new();

	if (!roots || !ctx || !links || X509_STORE_CTX_init(ctx, roots, signing_key, links) != 1 ||
	    !set_up(ctx, &path))
		refuse(found, PVS_ERROR_INTERNAL, NULL, c->now);
	else if (X509_verify_cert(ctx) != 1)
		explain(&path, ctx, found);
	else
		take_chain(&path, X509_STORE_CTX_get0_chain(ctx), found);
	sk_X509_free(links);
	ERR_clear_error();
	return found;
}

/* ---- memory ---- */

struct PvsChains {
	GHashTable *found; /* X509 of the store -> PvsChain */
	guint64 reached;
};

PvsChains *pvs_chains_new(void)
{
	PvsChains *chains = g_new0(PvsChains, 1);

	chains->found = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)pvs_chain_unref);
	return chains;
}

void pvs_chains_free(PvsChains *chains)
{
	if (!chains)
		return;
	g_hash_table_unref(chains->found);
	g_free(chains);
}

guint64 pvs_chains_reached(const PvsChains *chains)
{
	return chains->reached;
}

/* What a client brings may make a chain, or revoke one of its links: then it is his alone. */
static gboolean is_of_store(const PvsGrounds *c)
{
	return (!c->extra_certs || sk_X509_num(c->extra_certs) == 0) &&
	       (!c->crls.extra || sk_X509_CRL_num(c->crls.extra) == 0);
}

/* A path validation costs more than all else together, and there are few signing keys. */
PvsChain *pvs_chain_reach(const PvsGrounds *c, X509 *signing_key)
{
	PvsChain *found;

	if (!c->chains || !is_of_store(c))
		return reach(c, signing_key);
	found = g_hash_table_lookup(c->chains->found, signing_key);
	if (!found || c->now < found->from || c->now >= found->until) {
		found = reach(c, signing_key);
		c->chains->reached++;
		g_hash_table_replace(c->chains->found, signing_key, found);
	}
	return pvs_chain_ref(found);
}

PvsChain *pvs_chain_with_crl(const PvsGrounds *c, const PvsChain *chain, X509 *signing_key)
{
	PvsChain *found = chain_new();
	PvsCrlFound own = pvs_crls_look_up(&c->crls, signing_key, NULL);

	found->from = chain->from;
	found->until = chain->until;
	for (guint i = 0; i < chain->links->len; i++)
		rest_on(found, pvs_link_copy(chain->links->pdata[i]));
	if (chain->refusal) {
		found->refusal = g_error_copy(chain->refusal);
		found->subject = g_strdup(chain->subject);
		found->point = g_strdup(chain->point);
	} else if (!own.crl) {
		refuse(found, own.reason, PVS_LEVEL_SIGNING_KEY, c->now);
		found->subject = pvs_x509_name(X509_get_subject_name(signing_key));
	} else {
		rest_on(found, pvs_link_of_crl(own.crl));
		found->until = MIN(found->until, own.next);
	}
	return found;
}
