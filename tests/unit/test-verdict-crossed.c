/* SPDX-License-Identifier: MIT */
/*
 * test-verdict-crossed.c - two worlds of the same names, and every mixture of them; chains of any
 * length
 *
 * All that a stranger has to do is to use the right names. Each part of the stranger's world is
 * good by itself; among the owner's it may not even do harm to what is good besides.
 */
#include "daemon/trust/verdict.h"

#include "tests/unit/trust-world.h"

static PvsPki *other;
static X509 *host, *others_host;

enum { ROOT, INTER, SIGNING, ROOT_CRL, INTER_CRL, SIGNING_CRL, PARTS };

static const char *const files[PARTS] = {
	"root.crt",	    "trust.d/inter.crt", "trust.d/signing.crt",
	"trust.d/root.crl", "trust.d/inter.crl", "trust.d/signing.crl",
};

static void put(World *world, const char *file, const PvsPki *pki, guint part)
{
	X509 *const certs[] = {pki->root, pki->inter, pki->signing};
	X509_CRL *const crls[] = {pki->root_crl, pki->inter_crl, pki->signing_crl};

	if (part < ROOT_CRL)
		world_put_cert(world, file, certs[part]);
	else
		world_put_crl(world, file, crls[part - ROOT_CRL]);
}

/* One part is the stranger's: what is said is about that. */
static void test_one(void)
{
	static const PvsError errors[PARTS] = {
		[ROOT] = PVS_ERROR_SIGNING_KEY_UNTRUSTED, [INTER] = PVS_ERROR_SIGNING_KEY_UNTRUSTED,
		[SIGNING] = PVS_ERROR_HOST_KEY_AKID,	  [ROOT_CRL] = PVS_ERROR_CRL_SIGNATURE,
		[INTER_CRL] = PVS_ERROR_CRL_SIGNATURE,	  [SIGNING_CRL] = PVS_ERROR_CRL_SIGNATURE,
	};

	for (guint i = 0; i < PARTS; i++) {
		g_autoptr(World) world = world_new();

		g_test_message("%s", files[i]);
		world_accepts(world, host);
		put(world, files[i], other, i);
		world_refuses(world, host, errors[i]);
	}
}

/* Of all mixtures the two pure ones are good, each for its own document. */
static void test_mixed(void)
{
	for (guint mix = 0; mix < 1 << PARTS; mix++) {
		g_autoptr(World) world = world_new();

		for (guint i = 0; i < PARTS; i++)
			put(world, files[i], mix >> i & 1 ? other : world_pki, i);
		for (guint others = 0; others < 2; others++) {
			g_autoptr(GError) error = NULL;
			g_autoptr(PvsVerdict) verdict =
				world_judge_cert(world, others ? others_host : host, &error);
			gboolean good = mix == (others ? (1 << PARTS) - 1 : 0);

			g_test_message("mixture %u, document %u", mix, others);
			g_assert_cmpint(verdict != NULL, ==, good);
			if (!good)
				g_assert_true(error->domain == PVS_ERROR &&
					      pvs_error_code((PvsError)error->code) == -32002);
		}
	}
}

/* All that is the stranger's beside all that is the owner's, before it and behind it, but for the
 * root: the owner's documents are good, the stranger's are not. */
static void test_beside(void)
{
	for (guint order = 0; order < 2; order++) {
		g_autoptr(World) world = world_new();

		for (guint i = INTER; i < PARTS; i++) {
			g_autofree char *name =
				g_strdup_printf("trust.d/%c%u", order ? 'z' : '0', i);

			put(world, name, other, i);
		}
		world_accepts(world, host);
		world_refuses(world, others_host, PVS_ERROR_SIGNING_KEY_UNTRUSTED);
		/* Brought as well. */
		world_bring_cert(world, other->root);
		world_bring_cert(world, other->inter);
		world_bring_crl(world, other->root_crl);
		world_bring_crl(world, other->inter_crl);
		world_accepts(world, host);
		world_refuses(world, others_host, PVS_ERROR_SIGNING_KEY_UNTRUSTED);
		/* The root is what it is all about. */
		world_put_cert(world, "root.crt", other->root);
		world_refuses(world, host, PVS_ERROR_SIGNING_KEY_UNTRUSTED);
		world_accepts(world, others_host);
	}
}

/* ---- how long the chain is ---- */

static void test_length(void)
{
	for (guint links = 0; links <= 3; links++) {
		g_autoptr(World) world = world_new();
		g_autoptr(GPtrArray) owned =
			g_ptr_array_new_with_free_func((GDestroyNotify)X509_free);
		PvsPkiCert signing = world_signing_spec(), spec = world_host_spec();
		g_autoptr(X509) issued = NULL, document = NULL;
		X509 *above = world_pki->root;

		/* root, so many links of one key, signing key. */
		for (guint i = 0; i < links; i++) {
			PvsPkiCert link = world_inter_spec();
			g_autofree char *subject = g_strdup_printf("C=US/O=Tests/CN=Link %u", i);
			g_autofree char *file = g_strdup_printf("trust.d/link%u.crt", i);
			g_autofree char *crl_file = g_strdup_printf("trust.d/link%u.crl", i);
			PvsPkiCrl crl = {.issuer_key = world_pki->inter_key};

			link.subject = subject;
			link.issuer = above;
			link.issuer_key = i == 0 ? world_pki->root_key : world_pki->inter_key;
			above = pvs_pki_cert(&link);
			g_ptr_array_add(owned, above);
			crl.issuer = above;
			world_put_cert(world, file, above);
			world_put_crl_of(world, crl_file, &crl);
		}
		signing.issuer = above;
		signing.issuer_key = links ? world_pki->inter_key : world_pki->root_key;
		issued = pvs_pki_cert(&signing);
		world_put_cert(world, "trust.d/signing.crt", issued);
		spec.issuer = issued;
		document = pvs_pki_cert(&spec);
		g_test_message("%u links", links);
		if (links == 1 || links == 2)
			world_accepts(world, document);
		else
			world_refuses(world, document, PVS_ERROR_SIGNING_KEY_UNTRUSTED);
	}
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	world_start();
	other = pvs_pki_new();
	host = pvs_pki_host(world_pki, world_host_key);
	others_host = pvs_pki_host(other, world_host_key);
	g_test_add_func("/crossed/one", test_one);
	g_test_add_func("/crossed/mixed", test_mixed);
	g_test_add_func("/crossed/beside", test_beside);
	g_test_add_func("/crossed/length", test_length);
	status = g_test_run();
	X509_free(host);
	X509_free(others_host);
	pvs_pki_free(other);
	world_end();
	return status;
}
