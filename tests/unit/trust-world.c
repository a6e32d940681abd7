/* SPDX-License-Identifier: MIT */
/*
 * trust-world.c - what an owner installed and what a client brings, for the tests of trust
 */
#include "tests/unit/trust-world.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <openssl/err.h>

static guint accepted, refused;

PvsPki *world_pki;
EVP_PKEY *world_host_key;

void world_start(void)
{
	pvs_pki_set_now(WORLD_NOW);
	world_pki = pvs_pki_new();
	world_host_key = pvs_pki_ec("P-521");
}

void world_end(void)
{
	if (accepted + refused > 0)
		g_test_message("%u accepted, %u refused", accepted, refused);
	g_clear_pointer(&world_pki, pvs_pki_free);
	g_clear_pointer(&world_host_key, EVP_PKEY_free);
}

static char *make_directory(const char *parent, const char *name)
{
	char *path = g_build_filename(parent, name, NULL);

	g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
	return path;
}

World *world_new_empty(void)
{
	World *world = g_new0(World, 1);

	world->dir = g_dir_make_tmp("pvs-trust-XXXXXX", NULL);
	g_assert_nonnull(world->dir);
	world->trust = make_directory(world->dir, "trust.d");
	world->crl = make_directory(world->dir, "crl.d");
	world->host_keys = make_directory(world->dir, "hostkeys.d");
	world->root = g_build_filename(world->dir, "root.crt", NULL);
	world->paths = (PvsStorePaths){
		.root_ca = world->root,
		.trust_directory = world->trust,
		.crl_directory = world->crl,
		.host_key_directory = world->host_keys,
		.crl_size = 8 * 1024 * 1024,
		.crl_entries = 200000,
	};
	world->extra_certs = sk_X509_new_null();
	world->extra_crls = sk_X509_CRL_new_null();
	world->now = WORLD_NOW;
	return world;
}

World *world_new(void)
{
	World *world = world_new_empty();

	pvs_pki_install(world_pki, world->dir);
	return world;
}

static void remove_tree(const char *path)
{
	g_autoptr(GDir) dir = NULL;
	const char *name;

	if (!g_file_test(path, G_FILE_TEST_IS_SYMLINK))
		dir = g_dir_open(path, 0, NULL);
	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *inner = g_build_filename(path, name, NULL);

		remove_tree(inner);
	}
	g_assert_cmpint(g_remove(path), ==, 0);
}

void world_free(World *world)
{
	if (!world)
		return;
	remove_tree(world->dir);
	g_free(world->dir);
	g_free(world->trust);
	g_free(world->crl);
	g_free(world->host_keys);
	g_free(world->root);
	pvs_x509_stack_free(world->extra_certs);
	pvs_crl_stack_free(world->extra_crls);
	pvs_marks_free(world->marks);
	g_free(world);
}

void world_put(World *world, const char *name, GBytes *bytes)
{
	pvs_pki_write(world->dir, name, bytes);
}

void world_put_text(World *world, const char *name, const char *text)
{
	world_put(world, name, g_bytes_new(text, strlen(text)));
}

void world_put_cert(World *world, const char *name, const X509 *cert)
{
	world_put(world, name, pvs_pki_pem(cert));
}

void world_put_crl(World *world, const char *name, const X509_CRL *crl)
{
	world_put(world, name, pvs_pki_crl_pem(crl));
}

void world_put_cert_of(World *world, const char *name, const PvsPkiCert *spec)
{
	g_autoptr(X509) cert = pvs_pki_cert(spec);

	world_put_cert(world, name, cert);
}

void world_put_crl_of(World *world, const char *name, const PvsPkiCrl *spec)
{
	g_autoptr(X509_CRL) crl = pvs_pki_crl(spec);

	world_put_crl(world, name, crl);
}

void world_remove(World *world, const char *name)
{
	g_autofree char *path = g_build_filename(world->dir, name, NULL);

	g_assert_cmpint(g_remove(path), ==, 0);
}

void world_bring_cert(World *world, X509 *cert)
{
	X509_up_ref(cert);
	g_assert_cmpint(sk_X509_push(world->extra_certs, cert), >, 0);
}

void world_bring_crl(World *world, X509_CRL *crl)
{
	X509_CRL_up_ref(crl);
	g_assert_cmpint(sk_X509_CRL_push(world->extra_crls, crl), >, 0);
}

PvsStore *world_load(World *world)
{
	g_autoptr(GError) error = NULL;
	PvsStore *store = pvs_store_load(&world->paths, &error);

	g_assert_no_error(error);
	g_assert_nonnull(store);
	g_assert_cmpuint(ERR_peek_error(), ==, 0);
	return store;
}

char *world_load_error(World *world)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(pvs_store_load(&world->paths, &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_CONFIG);
	g_assert_cmpuint(ERR_peek_error(), ==, 0);
	return g_strdup(error->message);
}

PvsVerdict *world_judge(World *world, GBytes *document, GError **error)
{
	g_autoptr(PvsStore) store = world_load(world);
	gsize size;
	const guint8 *data = g_bytes_get_data(document, &size);
	PvsVerdict *verdict;

	/* Something that another left behind: it must neither count nor stay. */
	ERR_raise(ERR_LIB_X509, X509_R_CERT_ALREADY_IN_HASH_TABLE);
	verdict = pvs_verdict_reach(store, world->marks, data, size, world->extra_certs,
				    world->extra_crls, world->now, error);
	g_assert_cmpuint(ERR_peek_error(), ==, 0);
	*(verdict ? &accepted : &refused) += 1;
	if (verdict) {
		g_assert_cmpint(verdict->from, <=, world->now);
		g_assert_cmpint(verdict->until, >, world->now);
	}
	return verdict;
}

PvsVerdict *world_judge_cert(World *world, const X509 *document, GError **error)
{
	g_autoptr(GBytes) pem = pvs_pki_pem(document);

	return world_judge(world, pem, error);
}

PvsPkiCert world_root_spec(void)
{
	return (PvsPkiCert){
		.subject = "C=US/O=Tests/CN=Root CA of the tests",
		.key = world_pki->root_key,
		.ca = TRUE,
	};
}

PvsPkiCert world_inter_spec(void)
{
	return (PvsPkiCert){
		.subject = "C=US/O=Tests/CN=Intermediate CA of the tests",
		.key = world_pki->inter_key,
		.issuer = world_pki->root,
		.issuer_key = world_pki->root_key,
		.ca = TRUE,
	};
}

PvsPkiCert world_signing_spec(void)
{
	return (PvsPkiCert){
		.subject = PVS_PKI_SIGNING_KEY,
		.key = world_pki->signing_key,
		.issuer = world_pki->inter,
		.issuer_key = world_pki->inter_key,
		.key_usage = "critical,digitalSignature",
	};
}

PvsPkiCert world_host_spec(void)
{
	return pvs_pki_host_spec(world_pki, world_host_key);
}

PvsPkiCrl world_root_crl_spec(void)
{
	return (PvsPkiCrl){.issuer = world_pki->root, .issuer_key = world_pki->root_key};
}

PvsPkiCrl world_inter_crl_spec(void)
{
	return (PvsPkiCrl){.issuer = world_pki->inter, .issuer_key = world_pki->inter_key};
}

PvsPkiCrl world_signing_crl_spec(void)
{
	return (PvsPkiCrl){.issuer = world_pki->signing, .issuer_key = world_pki->signing_key};
}

gboolean world_warned(const PvsStore *store, const char *file, const char *what)
{
	const GPtrArray *warnings = pvs_store_warnings(store);

	for (guint i = 0; i < warnings->len; i++)
		if (strstr(warnings->pdata[i], file) && strstr(warnings->pdata[i], what))
			return TRUE;
	return FALSE;
}
