/* SPDX-License-Identifier: MIT */
/*
 * test-store.c - what the owner installed: what it is taken for, and what is said of what is wrong
 */
#include "daemon/trust/store.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "tests/unit/trust-world.h"

static guint count(const PvsStore *store, PvsCertKind kind)
{
	guint n = 0;

	for (guint i = 0; i < pvs_store_n_certs(store); i++)
		n += pvs_store_cert(store, i)->kind == kind;
	return n;
}

/* The daemon does not start, and says which file, what is wrong and what to do. */
static void refused(World *world, const char *file, const char *what, const char *remedy)
{
	g_autofree char *text = world_load_error(world);
	g_autofree char *path = g_build_filename(world->dir, file, NULL);

	g_assert_true(g_str_has_prefix(text, path));
	g_assert_nonnull(strstr(text, what));
	g_assert_nonnull(strstr(text, remedy));
	g_assert_null(strchr(text, '\n'));
}

static void test_good(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(PvsStore) store = world_load(world);

	g_assert_cmpuint(count(store, PVS_CERT_ROOT), ==, 1);
	g_assert_cmpuint(count(store, PVS_CERT_INTERMEDIATE), ==, 1);
	g_assert_cmpuint(count(store, PVS_CERT_SIGNING_KEY), ==, 1);
	g_assert_cmpuint(pvs_store_n_crls(store), ==, 3);
	g_assert_cmpuint(pvs_store_warnings(store)->len, ==, 0);
	g_assert_cmpstr(pvs_store_root_file(store), ==, world->root);
	g_assert_false(pvs_store_has_bundle(store));
	for (guint i = 0; i < pvs_store_n_certs(store); i++)
		if (pvs_store_cert(store, i)->kind == PVS_CERT_SIGNING_KEY)
			g_assert_cmpstr(pvs_store_cert(store, i)->file, ==, "signing.crt");
}

static GBytes *join(GBytes **parts, gsize n)
{
	GByteArray *all = g_byte_array_new();

	for (gsize i = 0; i < n; i++) {
		g_byte_array_append(all, g_bytes_get_data(parts[i], NULL),
				    (guint)g_bytes_get_size(parts[i]));
		g_bytes_unref(parts[i]);
	}
	return g_byte_array_free_to_bytes(all);
}

/* All in one file, in DER, or each by itself: the same. */
static void test_forms(void)
{
	g_autoptr(World) bundle = world_new_empty(), der = world_new_empty();
	GBytes *parts[] = {
		pvs_pki_pem(world_pki->signing),       pvs_pki_crl_pem(world_pki->signing_crl),
		g_bytes_new("# a remark\n", 11),       pvs_pki_pem(world_pki->inter),
		pvs_pki_crl_pem(world_pki->inter_crl), pvs_pki_crl_pem(world_pki->root_crl),
	};
	World *worlds[] = {bundle, der};

	world_put(bundle, "root.crt", pvs_pki_pem(world_pki->root));
	world_put(bundle, "trust.d/all.pem", join(parts, G_N_ELEMENTS(parts)));
	world_put(der, "root.crt", pvs_pki_der(world_pki->root));
	world_put(der, "trust.d/signing.crt", pvs_pki_der(world_pki->signing));
	world_put(der, "trust.d/signing.crl", pvs_pki_crl_der(world_pki->signing_crl));
	world_put(der, "trust.d/inter.crt", pvs_pki_der(world_pki->inter));
	world_put(der, "trust.d/inter.crl", pvs_pki_crl_der(world_pki->inter_crl));
	world_put(der, "trust.d/root.crl", pvs_pki_crl_der(world_pki->root_crl));
	for (gsize i = 0; i < G_N_ELEMENTS(worlds); i++) {
		g_autoptr(PvsStore) store = world_load(worlds[i]);
		g_autoptr(X509) host = pvs_pki_host(world_pki, world_host_key);

		g_assert_cmpuint(pvs_store_n_certs(store), ==, 3);
		g_assert_cmpuint(pvs_store_n_crls(store), ==, 3);
		world_accepts(worlds[i], host);
	}
}

/* ---- which certificate is a signing key ---- */

static void test_signing_key(void)
{
	static const struct {
		const char *subject;
		gboolean good;
	} cases[] = {
		{PVS_PKI_SIGNING_KEY, TRUE},
		{"C=US/" PVS_PKI_IBM "/ST=New York/L=Armonk/OU=IBM Z Host Key Signing Service",
		 TRUE},
		{"OU=Key Signing Service/L=Armonk/ST=New York/" PVS_PKI_IBM "/C=US", TRUE},
		{"C=US/" PVS_PKI_IBM "/ST=New York/L=Armonk/OU=Key Signing Service", TRUE},
		{"C=US/" PVS_PKI_IBM "/ST=New York/L=Armonk/OU=Key Signing Service Invalid", FALSE},
		{"C=US/" PVS_PKI_IBM "/ST=New York/L=Armonk/OU=key signing service", FALSE},
		{"C=DE/" PVS_PKI_IBM "/ST=New York/L=Armonk/OU=Key Signing Service", FALSE},
		{"C=US/" PVS_PKI_IBM "/ST=new york/L=Armonk/OU=Key Signing Service", FALSE},
		{"C=US/" PVS_PKI_IBM "/ST=New York/L=armonk/OU=Key Signing Service", FALSE},
		{"C=US/" PVS_PKI_IBM "/ST=New York/L=Boeblingen/OU=Key Signing Service", FALSE},
		{"C=US/" PVS_PKI_IBM "/ST=New York/OU=Key Signing Service", FALSE},
		{"C=US/" PVS_PKI_IBM "/ST=New York/L=Armonk", FALSE},
		{"C=US/" PVS_PKI_IBM "/ST=New York/L=Armonk/OU=Key Signing Service/OU=More", FALSE},
		{"C=US/" PVS_PKI_IBM
		 "/ST=New York/L=Armonk/OU=Key Signing Service/emailAddress=a@b",
		 FALSE},
		{"C=US/" PVS_PKI_IBM "/ST=New York/L=Armonk/L=Armonk", FALSE},
		{"C=US/O=International Business Machines/CN=International Business Machines "
		 "Corporation/ST=New York/L=Armonk/OU=Key Signing Service",
		 FALSE},
		{"C=US/O=International Business Machines Corporation/CN=Another/ST=New York/"
		 "L=Armonk/OU=Key Signing Service",
		 FALSE},
		{"CN=Nobody", FALSE},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		PvsPkiCert spec = world_signing_spec();
		g_autoptr(X509) cert = NULL;

		spec.subject = cases[i].subject;
		cert = pvs_pki_cert(&spec);
		g_test_message("%s", cases[i].subject);
		g_assert_cmpint(pvs_store_is_signing_key(cert), ==, cases[i].good);
	}
}

/* A signing key is one in the trust directory alone. */
static void test_places(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(PvsStore) store = NULL;
	GBytes *parts[] = {pvs_pki_pem(world_pki->root), pvs_pki_pem(world_pki->signing)};

	world_remove(world, "trust.d/signing.crt");
	world_put(world, "root.crt", join(parts, G_N_ELEMENTS(parts)));
	world_put_cert(world, "crl.d/signing.crt", world_pki->signing);
	store = world_load(world);
	g_assert_cmpuint(count(store, PVS_CERT_SIGNING_KEY), ==, 0);
	g_assert_cmpuint(count(store, PVS_CERT_ROOT), ==, 1);
	g_assert_true(world_warned(store, "crl.d/signing.crt", "ignored"));
	g_assert_true(world_warned(store, "trust.d", "no IBM Z host-key signing key"));
}

static void test_self_signed(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(PvsStore) store = NULL;
	PvsPkiCert another = world_root_spec();

	world_put_cert(world, "trust.d/root.crt", world_pki->root);
	another.key = world_host_key;
	another.subject = "CN=Another";
	world_put_cert_of(world, "trust.d/another.crt", &another);
	store = world_load(world);
	g_assert_cmpuint(count(store, PVS_CERT_ROOT), ==, 1);
	g_assert_true(world_warned(store, "another.crt", "not a root"));
	g_assert_false(world_warned(store, "root.crt", "not a root"));
}

/* What can be no link: a host-key document that was put beside its signing key, or any other. */
static void test_strays(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(X509) host = pvs_pki_host(world_pki, world_host_key);
	g_autoptr(PvsStore) store = NULL;
	PvsPkiCert other = world_inter_spec();

	world_put_cert(world, "trust.d/host.crt", host);
	other.ca = FALSE;
	world_put_cert_of(world, "trust.d/other.crt", &other);
	store = world_load(world);
	g_assert_true(world_warned(store, "trust.d/host.crt", "a host-key document"));
	g_assert_true(world_warned(store, "trust.d/host.crt", "hostkeys.d"));
	g_assert_true(world_warned(store, "trust.d/other.crt", "neither"));
	g_assert_false(world_warned(store, "inter.crt", ""));
	g_assert_false(world_warned(store, "signing.crt", ""));
}

/* An authority that signs with SHA-1 may well be genuine: why its CRL is not used is said. */
static void test_weak_crl(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(PvsStore) store = NULL;
	PvsPkiCrl spec = world_inter_crl_spec();

	spec.digest = EVP_sha1();
	world_put_crl_of(world, "trust.d/weak.crl", &spec);
	spec.digest = EVP_sha256();
	world_put_crl_of(world, "trust.d/strong.crl", &spec);
	store = world_load(world);
	g_assert_true(world_warned(store, "weak.crl", "CN=Intermediate CA of the tests"));
	g_assert_true(world_warned(store, "weak.crl", "SHA1, and SHA-256 is the least"));
	g_assert_false(world_warned(store, "strong.crl", ""));
}

static void test_weak_signing_key(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(PvsStore) store = NULL;
	PvsPkiCert spec = world_signing_spec();

	spec.key = pvs_pki_rsa(2048);
	world_put_cert_of(world, "trust.d/weak.crt", &spec);
	EVP_PKEY_free(spec.key);
	store = world_load(world);
	g_assert_true(world_warned(store, "weak.crt", "RSA-3072"));
	g_assert_false(world_warned(store, "signing.crt", "RSA-3072"));
}

/* ---- what is wrong with a file ---- */

static void test_bad_files(void)
{
	static const char *const texts[] = {
		"",
		"no certificate\n",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----\n",
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(World) world = world_new();
		g_autoptr(PvsStore) store = NULL;

		g_test_message("case %" G_GSIZE_FORMAT, i);
		world_put_text(world, "crl.d/bad", texts[i]);
		store = world_load(world);
		g_assert_true(world_warned(store, "crl.d/bad", "(ignored)"));
		world_put_text(world, "trust.d/bad", texts[i]);
		refused(world, "trust.d/bad", "not certificates or CRLs", "replace or remove");
		world_remove(world, "trust.d/bad");
		world_put_text(world, "hostkeys.d/bad.crt", texts[i]);
		refused(world, "hostkeys.d/bad.crt", "not an X.509 certificate",
			"replace or remove");
		world_remove(world, "hostkeys.d/bad.crt");
		world_put_text(world, "root.crt", texts[i]);
		refused(world, "root.crt", "not certificates", "name a file with the root CA");
	}
}

/* One bad part of a file, and none of it is taken. */
static void test_bad_part(void)
{
	g_autoptr(World) world = world_new();
	GBytes *parts[] = {
		pvs_pki_crl_pem(world_pki->signing_crl),
		g_bytes_new_static("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", 54),
	};
	g_autoptr(PvsStore) store = NULL;

	world_remove(world, "trust.d/signing.crl");
	world_put(world, "crl.d/half", join(parts, G_N_ELEMENTS(parts)));
	store = world_load(world);
	g_assert_cmpuint(pvs_store_n_crls(store), ==, 2);
	g_assert_true(world_warned(store, "crl.d/half", "ignored"));
}

/* All that is wrong is said at once, a line each. */
static void test_several(void)
{
	g_autoptr(World) world = world_new();
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	world_put_text(world, "trust.d/b", "bad");
	world_put_text(world, "trust.d/a", "bad");
	world_put_text(world, "hostkeys.d/c.crt", "bad");
	text = world_load_error(world);
	lines = g_strsplit(text, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, 3);
	g_assert_nonnull(strstr(lines[0], "trust.d/a"));
	g_assert_nonnull(strstr(lines[1], "trust.d/b"));
	g_assert_nonnull(strstr(lines[2], "hostkeys.d/c.crt"));
}

static void test_no_root(void)
{
	g_autoptr(World) world = world_new();

	world_put_cert(world, "root.crt", world_pki->inter);
	refused(world, "root.crt", "no self-signed certificate", "RootCA=");
	world_remove(world, "root.crt");
	refused(world, "root.crt", "No such file", "name a file in RootCA=");
}

static void test_not_files(void)
{
	g_autoptr(World) world = world_new();
	g_autofree char *fifo = g_build_filename(world->trust, "fifo", NULL);
	g_autofree char *hidden = g_build_filename(world->trust, ".hidden", NULL);
	g_autofree char *folder = g_build_filename(world->trust, "folder", NULL);
	g_autofree char *link = g_build_filename(world->trust, "link", NULL);

	g_assert_cmpint(g_mkdir(folder, 0755), ==, 0);
	g_assert_true(g_file_set_contents(hidden, "bad", -1, NULL));
	{
		g_autoptr(PvsStore) store = world_load(world);

		g_assert_true(world_warned(store, ".hidden", "ignored"));
		g_assert_true(world_warned(store, "folder", "ignored"));
	}
	/* Nobody writes to it: it must not be waited for. */
	g_assert_cmpint(mkfifo(fifo, 0644), ==, 0);
	refused(world, "trust.d/fifo", "not a regular file", "remove it");
	g_assert_cmpint(unlink(fifo), ==, 0);
	g_assert_cmpint(symlink("nowhere", link), ==, 0);
	refused(world, "trust.d/link", "No such file", "put a copy of the file in its place");
	g_assert_cmpint(unlink(link), ==, 0);
	g_assert_cmpint(symlink("signing.crt", link), ==, 0);
	pvs_store_free(world_load(world));
}

/* In each directory: what an editor or an owner left beside the file that is meant. */
static void test_put_aside(void)
{
	static const char *const directories[] = {"trust.d", "crl.d", "hostkeys.d"};
	static const char *const names[] = {".signing.crt.swp", ".signing.crt", "signing.crt~",
					    "~"};

	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
		for (gsize j = 0; j < G_N_ELEMENTS(names); j++) {
			g_autoptr(World) world = world_new();
			g_autofree char *file = g_build_filename(directories[i], names[j], NULL);
			g_autoptr(PvsStore) store = NULL;

			g_test_message("%s", file);
			world_remove(world, "trust.d/signing.crt");
			world_put_cert(world, file, world_pki->signing);
			store = world_load(world);
			g_assert_true(world_warned(store, file, "put aside"));
			g_assert_cmpuint(count(store, PVS_CERT_SIGNING_KEY), ==, 0);
			/* Nor does it matter what is in it. */
			world_put_text(world, file, "junk");
			pvs_store_free(g_steal_pointer(&store));
			store = world_load(world);
			g_assert_true(world_warned(store, file, "put aside"));
		}
	}
}

/* What is not put aside is meant, and has to be what belongs there. */
static void test_stray(void)
{
	static const char *const files[] = {"trust.d/README", "trust.d/a~b", "trust.d/x.bak",
					    "hostkeys.d/foo.txt"};
	g_autoptr(World) world = world_new();

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		world_put_text(world, files[i], "Put certificates here.\n");
		refused(world, files[i], "not", "replace or remove");
		world_remove(world, files[i]);
	}
}

/* Whoever can write what is trusted is trusted. The fetcher's directory is its own. */
static void test_owners(void)
{
	static const char *const files[] = {"trust.d/signing.crt", "root.crt"};
	static const mode_t bad[] = {0664, 0646, 0666, 0620, 0602};
	static const mode_t good[] = {0644, 0444, 0600, 0755};

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autoptr(World) world = world_new();
		g_autofree char *path = g_build_filename(world->dir, files[i], NULL);

		for (gsize j = 0; j < G_N_ELEMENTS(bad); j++) {
			g_autofree char *rule = g_strdup_printf("its mode %04o", bad[j]);

			g_assert_cmpint(g_chmod(path, bad[j]), ==, 0);
			refused(world, files[i], rule, "chmod go-w /");
		}
		for (gsize j = 0; j < G_N_ELEMENTS(good); j++) {
			g_assert_cmpint(g_chmod(path, good[j]), ==, 0);
			pvs_store_free(world_load(world));
		}
		if (geteuid() != 0)
			continue;
		g_assert_cmpint(chown(path, 12345, 0), ==, 0);
		refused(world, files[i], "belongs to uid 12345", "chown root /");
	}
}

/* Root reads everything, so it is somebody else for a moment. */
static void test_unreadable(void)
{
	g_autoptr(World) world = world_new();
	g_autofree char *file = g_build_filename(world->trust, "signing.crt", NULL);
	gboolean root = geteuid() == 0;

	g_assert_cmpint(g_chmod(world->dir, 0755) | g_chmod(file, 0), ==, 0);
	if (root)
		g_assert_cmpint(seteuid(65534), ==, 0);
	refused(world, "trust.d/signing.crt", "Permission denied", "chmod 0644 /");
	if (root)
		g_assert_cmpint(seteuid(0), ==, 0);
	g_assert_cmpint(g_chmod(file, 0644) | g_chmod(world->trust, 0), ==, 0);
	if (root)
		g_assert_cmpint(seteuid(65534), ==, 0);
	refused(world, "trust.d", "Permission denied", "chmod 0755 /");
	if (root)
		g_assert_cmpint(seteuid(0), ==, 0);
	g_assert_cmpint(g_chmod(world->trust, 0755), ==, 0);
}

static void test_no_directories(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(PvsStore) store = NULL;

	world_remove(world, "crl.d");
	world_remove(world, "hostkeys.d");
	world->paths.host_key_directory = NULL;
	store = world_load(world);
	g_assert_cmpuint(pvs_store_n_crls(store), ==, 3);
}

/* ---- limits ---- */

static void test_limits(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	PvsPkiCrl spec = world_signing_crl_spec();
	const X509_CRL *const crls[] = {world_pki->signing_crl, world_pki->inter_crl,
					world_pki->root_crl};
	gsize all = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(crls); i++) {
		g_autoptr(GBytes) pem = pvs_pki_crl_pem(crls[i]);

		all += g_bytes_get_size(pem);
	}
	world->paths.crl_size = all;
	pvs_store_free(world_load(world));
	world->paths.crl_size = all - 1;
	refused(world, "trust.d/signing.crl", "CRLs have more than", "CrlSize=");
	world->paths.crl_size = 8 * 1024 * 1024;

	for (guint i = 0; i < 10; i++)
		g_ptr_array_add(list, world_pki->revoked);
	g_ptr_array_add(list, NULL);
	spec.revoked = (const X509 *const *)list->pdata;
	world_put_crl_of(world, "trust.d/signing.crl", &spec);
	world->paths.crl_entries = 10;
	pvs_store_free(world_load(world));
	world->paths.crl_entries = 9;
	refused(world, "trust.d/signing.crl", "more than 9 entries", "CrlEntries=");
}

/* The same CRL in several files, and forms, is one. */
static void test_twice(void)
{
	g_autoptr(World) world = world_new();
	PvsPkiCrl spec = world_signing_crl_spec();
	g_autoptr(X509_CRL) large = NULL;
	g_autoptr(GBytes) pem = NULL;
	GBytes *parts[3];

	spec.more = 500;
	large = pvs_pki_crl(&spec);
	pem = pvs_pki_crl_pem(large);
	world->paths.crl_entries = 510;
	world->paths.crl_size = 2 * g_bytes_get_size(pem) - 1;
	world_put_crl(world, "crl.d/a", large);
	world_put_crl(world, "crl.d/b", large);
	world_put_crl(world, "crl.d/c", large);
	world_put(world, "crl.d/d", pvs_pki_crl_der(large));
	{
		g_autoptr(PvsStore) store = world_load(world);

		g_assert_cmpuint(pvs_store_n_crls(store), ==, 4);
		g_assert_false(world_warned(store, "crl.d/b", ""));
		g_assert_false(world_warned(store, "crl.d/c", ""));
	}
	/* Another of the size is too much; that it is as large as a copy does not help it. */
	spec.number = 8;
	world_put_crl_of(world, "crl.d/c", &spec);
	{
		g_autoptr(PvsStore) store = world_load(world);

		g_assert_cmpuint(pvs_store_n_crls(store), ==, 4);
		g_assert_true(world_warned(store, "crl.d/c", "larger than"));
	}
	/* In the owner's directory: beside a certificate, and twice in one file. */
	world_remove(world, "crl.d/a");
	world_remove(world, "crl.d/b");
	world_remove(world, "crl.d/c");
	world_remove(world, "crl.d/d");
	parts[0] = pvs_pki_pem(world_pki->inter);
	parts[1] = pvs_pki_crl_pem(world_pki->inter_crl);
	parts[2] = pvs_pki_crl_pem(world_pki->inter_crl);
	world_put(world, "trust.d/z.pem", join(parts, G_N_ELEMENTS(parts)));
	{
		g_autoptr(PvsStore) store = world_load(world);

		g_assert_cmpuint(pvs_store_n_crls(store), ==, 3);
		g_assert_cmpuint(count(store, PVS_CERT_INTERMEDIATE), ==, 2);
	}
	world_remove(world, "trust.d/inter.crl");
	{
		g_autoptr(PvsStore) store = world_load(world);

		g_assert_cmpuint(pvs_store_n_crls(store), ==, 3);
	}
}

static void test_too_large(void)
{
	g_autoptr(World) world = world_new();
	g_autofree char *zeros = g_malloc0(1024 * 1024 + 1);

	world_put(world, "hostkeys.d/large.crt", g_bytes_new(zeros, 1024 * 1024 + 1));
	refused(world, "hostkeys.d/large.crt", "larger than 1048576 bytes", "remove it");
}

/* ---- host-key documents by name ---- */

static void test_host_keys(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(X509) host = pvs_pki_host(world_pki, world_host_key);
	g_autoptr(PvsStore) store = NULL;
	g_autoptr(GPtrArray) names = NULL;
	GBytes *bytes;
	gsize size;
	const char *text;

	world_put_cert(world, "hostkeys.d/one.crt", host);
	world_put_cert(world, "hostkeys.d/two.pem", host);
	world_put(world, "hostkeys.d/three.der", pvs_pki_der(host));
	world_put_cert(world, "hostkeys.d/plain", host);
	world_put_cert(world, "hostkeys.d/a.crt.pem", host);
	store = world_load(world);
	names = pvs_store_host_key_names(store);
	g_ptr_array_add(names, NULL);
	{
		g_autofree char *joined = g_strjoinv(" ", (char **)names->pdata);

		g_assert_cmpstr(joined, ==, "a.crt one plain three two");
	}
	g_assert_null(pvs_store_host_key(store, "one.crt"));
	bytes = pvs_store_host_key(store, "one");
	g_assert_nonnull(bytes);
	text = g_bytes_get_data(bytes, &size);
	g_assert_true(size > 27 && memcmp(text, "-----BEGIN CERTIFICATE-----", 27) == 0);
}

static void test_bad_host_keys(void)
{
	static const char *const names[] = {"-a.crt", "a b.crt", "\xc3\xa4.crt"};
	g_autoptr(World) world = world_new();
	g_autoptr(X509) host = pvs_pki_host(world_pki, world_host_key);
	GBytes *two[] = {pvs_pki_pem(host), pvs_pki_pem(host)};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *file = g_build_filename("hostkeys.d", names[i], NULL);

		world_put_cert(world, file, host);
		refused(world, file, "not a name", "rename");
		world_remove(world, file);
	}
	world_put_cert(world, "hostkeys.d/one.crt", host);
	world_put_cert(world, "hostkeys.d/one.pem", host);
	refused(world, "hostkeys.d/one.pem", "second document of the name 'one'", "remove");
	world_remove(world, "hostkeys.d/one.pem");
	world_put(world, "hostkeys.d/two.crt", join(two, G_N_ELEMENTS(two)));
	refused(world, "hostkeys.d/two.crt", "more than one certificate", "replace");
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	world_start();
	g_test_add_func("/store/good", test_good);
	g_test_add_func("/store/forms", test_forms);
	g_test_add_func("/store/signing-key", test_signing_key);
	g_test_add_func("/store/signing-key/places", test_places);
	g_test_add_func("/store/strays", test_strays);
	g_test_add_func("/store/weak-crl", test_weak_crl);
	g_test_add_func("/store/signing-key/weak", test_weak_signing_key);
	g_test_add_func("/store/self-signed", test_self_signed);
	g_test_add_func("/store/bad-files", test_bad_files);
	g_test_add_func("/store/bad-part", test_bad_part);
	g_test_add_func("/store/several", test_several);
	g_test_add_func("/store/no-root", test_no_root);
	g_test_add_func("/store/not-files", test_not_files);
	g_test_add_func("/store/put-aside", test_put_aside);
	g_test_add_func("/store/stray", test_stray);
	g_test_add_func("/store/unreadable", test_unreadable);
	g_test_add_func("/store/owners", test_owners);
	g_test_add_func("/store/no-directories", test_no_directories);
	g_test_add_func("/store/limits", test_limits);
	g_test_add_func("/store/twice", test_twice);
	g_test_add_func("/store/too-large", test_too_large);
	g_test_add_func("/store/host-keys", test_host_keys);
	g_test_add_func("/store/host-keys/bad", test_bad_host_keys);
	status = g_test_run();
	world_end();
	return status;
}
