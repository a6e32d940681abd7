/* SPDX-License-Identifier: MIT */
/*
 * test-marks.c - CRLs that were seen before, and what happens to their file
 */
#include "daemon/trust/marks.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "daemon/trust/crls.h"
#include "tests/unit/trust-world.h"

static X509 *host;
static char *dir;

static char *path_of(const char *name)
{
	return g_build_filename(dir, name, NULL);
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	g_assert_cmpint(fd, >=, 0);
	return fd;
}

static PvsMarks *marks_at(const char *path)
{
	g_autoptr(GError) error = NULL;
	PvsMarks *marks = pvs_marks_new(open_file(path), &error);

	g_assert_no_error(error);
	g_assert_nonnull(marks);
	return marks;
}

/* A CRL of the signing key that is @days old, with a number (0: none). */
static X509_CRL *crl_of(int days, guint64 number, const X509 *const *revoked)
{
	PvsPkiCrl spec = world_signing_crl_spec();

	spec.from = -days * WORLD_DAY;
	spec.until = WORLD_YEAR;
	spec.number = number;
	spec.revoked = revoked;
	return pvs_pki_crl(&spec);
}

static gboolean see(PvsMarks *marks, X509_CRL *crl)
{
	g_autoptr(GError) error = NULL;
	gboolean newer = pvs_marks_see(marks, world_pki->signing, crl, &error);

	g_assert_no_error(error);
	return newer;
}

static gsize size_of(const char *path)
{
	g_autofree char *data = NULL;
	gsize size;

	g_assert_true(g_file_get_contents(path, &data, &size, NULL));
	return size;
}

/* ---- the file ---- */

static void test_order(void)
{
	g_autofree char *path = path_of("order");
	g_autoptr(X509_CRL) old = crl_of(3, 9, NULL), middle = crl_of(2, 4, NULL),
			    bare = crl_of(2, 0, NULL), higher = crl_of(2, 5, NULL),
			    last = crl_of(1, 1, NULL);
	X509 *key = world_pki->signing;

	for (guint round = 0; round < 2; round++) {
		g_autoptr(PvsMarks) marks = marks_at(path);

		if (round == 0) {
			g_assert_cmpint(pvs_marks_latest(marks), ==, G_MININT64);
			g_assert_false(pvs_marks_is_rolled_back(marks, key, old));
			g_assert_true(see(marks, middle));
		}
		g_assert_false(see(marks, middle));
		g_assert_false(see(marks, old));
		g_assert_false(see(marks, bare));
		/* What was written is there again, and is not written again. */
		g_assert_cmpuint(size_of(path), ==, PVS_MARK_SIZE);
		g_assert_cmpint(pvs_marks_latest(marks), ==, WORLD_NOW - 2 * WORLD_DAY);
		g_assert_true(pvs_marks_is_rolled_back(marks, key, old));
		g_assert_false(pvs_marks_is_rolled_back(marks, key, middle));
		g_assert_false(pvs_marks_is_rolled_back(marks, key, bare));
		g_assert_false(pvs_marks_is_rolled_back(marks, key, higher));
		g_assert_false(pvs_marks_is_rolled_back(marks, key, last));
		/* It is about this key. */
		g_assert_false(pvs_marks_is_rolled_back(marks, world_pki->inter, old));
	}
	{
		g_autoptr(PvsMarks) marks = marks_at(path);

		g_assert_true(see(marks, higher));
		g_assert_true(pvs_marks_is_rolled_back(marks, key, middle));
		g_assert_true(see(marks, last));
		g_assert_true(pvs_marks_is_rolled_back(marks, key, higher));
		g_assert_cmpuint(size_of(path), ==, 3 * PVS_MARK_SIZE);
	}
}

/* Two certificates of one key have one mark. */
static void test_of_the_key(void)
{
	PvsPkiCert spec = world_signing_spec();
	g_autoptr(X509) renewed = pvs_pki_cert(&spec);
	g_autoptr(PvsMarks) marks = pvs_marks_new(-1, NULL);
	g_autoptr(X509_CRL) old = crl_of(3, 0, NULL), new = crl_of(1, 0, NULL);

	g_assert_cmpint(X509_cmp(renewed, world_pki->signing), !=, 0);
	g_assert_true(see(marks, new));
	g_assert_true(pvs_marks_is_rolled_back(marks, renewed, old));
}

/* Cut anywhere, what was whole before counts, what is cut does not, and what comes after does. */
static void test_torn(void)
{
	g_autoptr(X509_CRL) first = crl_of(3, 1, NULL), second = crl_of(2, 2, NULL),
			    third = crl_of(1, 3, NULL);
	X509 *key = world_pki->signing;

	for (gsize cut = 0; cut < PVS_MARK_SIZE; cut++) {
		g_autofree char *path = path_of("torn");

		g_unlink(path);
		for (guint i = 0; i < 2; i++) {
			g_autoptr(PvsMarks) marks = marks_at(path);

			g_assert_true(see(marks, i ? second : first));
		}
		g_assert_cmpint(truncate(path, (off_t)(PVS_MARK_SIZE + cut)), ==, 0);
		for (guint i = 0; i < 3; i++) {
			g_autoptr(PvsMarks) marks = marks_at(path);

			g_assert_false(pvs_marks_is_rolled_back(marks, key, first) != (i > 0));
			g_assert_cmpint(pvs_marks_is_rolled_back(marks, key, second), ==, i > 1);
			if (i < 2)
				g_assert_true(see(marks, i ? third : second));
		}
		g_assert_cmpuint(size_of(path), ==, (cut ? 4 : 3) * PVS_MARK_SIZE);
		g_unlink(path);
	}
}

/* A record with a bit flipped is none. */
static void test_damaged(void)
{
	g_autofree char *path = path_of("damaged");
	g_autofree char *good = NULL;
	g_autoptr(X509_CRL) old = crl_of(3, 0, NULL), new = crl_of(1, 7, NULL);
	gsize size;

	{
		g_autoptr(PvsMarks) marks = marks_at(path);

		g_assert_true(see(marks, new));
	}
	g_assert_true(g_file_get_contents(path, &good, &size, NULL));
	g_assert_cmpuint(size, ==, PVS_MARK_SIZE);
	for (gsize bit = 0; bit < 8 * size; bit++) {
		g_autofree char *bad = g_memdup2(good, size);
		g_autoptr(PvsMarks) marks = NULL;

		bad[bit / 8] ^= (char)(1 << bit % 8);
		g_assert_true(g_file_set_contents(path, bad, (gssize)size, NULL));
		marks = marks_at(path);
		g_assert_cmpint(pvs_marks_latest(marks), ==, G_MININT64);
		g_assert_false(pvs_marks_is_rolled_back(marks, world_pki->signing, old));
	}
}

/* The bytes are what the header says, on any machine. */
static void test_layout(void)
{
	g_autofree char *path = path_of("layout");
	g_autofree guint8 *data = NULL;
	g_autoptr(X509_CRL) crl = crl_of(1, 0x0102, NULL);
	guint8 *spki = NULL;
	int spki_size;
	gsize size;

	{
		g_autoptr(PvsMarks) marks = marks_at(path);

		g_assert_true(see(marks, crl));
	}
	g_assert_true(g_file_get_contents(path, (char **)&data, &size, NULL));
	g_assert_cmpuint(size, ==, 64);
	for (guint i = 0; i < 8; i++)
		g_assert_cmpuint(data[32 + i], ==,
				 (guint64)(WORLD_NOW - WORLD_DAY) >> (56 - 8 * i) & 0xff);
	for (guint i = 0; i < 14; i++)
		g_assert_cmpuint(data[40 + i], ==, 0);
	g_assert_cmpuint(data[54], ==, 1);
	g_assert_cmpuint(data[55], ==, 2);
	spki_size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(world_pki->signing), &spki);
	g_assert_cmpint(spki_size, >, 0);
	{
		g_autofree char *hex =
			g_compute_checksum_for_data(G_CHECKSUM_SHA256, spki, (gsize)spki_size);
		g_autofree char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, 56);

		for (guint i = 0; i < 32; i++) {
			g_autofree char *byte = g_strdup_printf("%02x", data[i]);

			g_assert_cmpint(strncmp(hex + 2 * i, byte, 2), ==, 0);
		}
		for (guint i = 0; i < 8; i++) {
			g_autofree char *byte = g_strdup_printf("%02x", data[56 + i]);

			g_assert_cmpint(strncmp(sum + 2 * i, byte, 2), ==, 0);
		}
	}
	OPENSSL_free(spki);
}

/* A full disk: it counts all the same, is said, and the file stays one of records. */
static void test_full(void)
{
	g_autofree char *path = path_of("full");
	g_autoptr(X509_CRL) first = crl_of(3, 0, NULL), second = crl_of(2, 0, NULL),
			    third = crl_of(1, 0, NULL);
	g_autoptr(PvsMarks) marks = marks_at(path), again = NULL;
	g_autoptr(GError) error = NULL;
	struct rlimit old, small;

	g_assert_true(see(marks, first));
	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
	small = old;
	small.rlim_cur = PVS_MARK_SIZE + 20;
	signal(SIGXFSZ, SIG_IGN);
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
	g_assert_true(pvs_marks_see(marks, world_pki->signing, second, &error));
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
	g_assert_error(error, PVS_ERROR, PVS_ERROR_SYSTEM);
	g_assert_true(pvs_marks_is_rolled_back(marks, world_pki->signing, first));
	/* Nothing newer, and it is said again. */
	g_clear_error(&error);
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
	g_assert_false(pvs_marks_see(marks, world_pki->signing, second, &error));
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
	g_assert_error(error, PVS_ERROR, PVS_ERROR_SYSTEM);
	/* There is room again: what was not written is, whatever comes next, and once. */
	for (guint i = 0; i < 2; i++) {
		g_assert_false(see(marks, first));
		g_assert_cmpuint(size_of(path), ==, 3 * PVS_MARK_SIZE);
	}
	again = marks_at(path);
	g_assert_true(pvs_marks_is_rolled_back(again, world_pki->signing, first));
	g_assert_false(pvs_marks_is_rolled_back(again, world_pki->signing, second));
	g_assert_true(see(again, third));
	g_assert_cmpuint(size_of(path), ==, 4 * PVS_MARK_SIZE);
}

static void test_unreadable(void)
{
	g_autoptr(GError) error = NULL;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	g_assert_null(pvs_marks_new(fd, &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_SYSTEM);
}

/* ---- at a verification ---- */

static void load_and_see(World *world)
{
	g_autoptr(PvsStore) store = world_load(world);
	g_autoptr(GError) error = NULL;

	pvs_crls_see_all(store, world->marks, world->now, &error);
	g_assert_no_error(error);
}

static void test_rolled_back(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(X509_CRL) old = crl_of(2, 1, NULL), new = crl_of(1, 2, NULL),
			    newest = crl_of(0, 3, NULL);

	world->marks = pvs_marks_new(-1, NULL);
	world_put_crl(world, "trust.d/signing.crl", old);
	load_and_see(world);
	world_accepts(world, host);
	world_put_crl(world, "trust.d/signing.crl", new);
	load_and_see(world);
	world_accepts(world, host);
	world_put_crl(world, "trust.d/signing.crl", old);
	load_and_see(world);
	world_refuses(world, host, PVS_ERROR_CRL_ROLLED_BACK);
	/* By whom it is brought makes no difference. */
	world_remove(world, "trust.d/signing.crl");
	world_refuses(world, host, PVS_ERROR_CRL_MISSING);
	world_bring_crl(world, old);
	world_refuses(world, host, PVS_ERROR_CRL_ROLLED_BACK);
	/* The old one beside the new one does no harm; nor does a newer one. */
	world_put_crl(world, "trust.d/old.crl", old);
	world_put_crl(world, "trust.d/new.crl", new);
	world_accepts(world, host);
	world_put_crl(world, "trust.d/new.crl", newest);
	load_and_see(world);
	world_accepts(world, host);
}

/* It vouches for nothing; what it revokes is revoked. */
static void test_still_revokes(void)
{
	g_autoptr(World) world = world_new();
	const X509 *list[] = {host, NULL};
	g_autoptr(X509_CRL) old = crl_of(2, 1, list), new = crl_of(1, 2, NULL);

	world->marks = pvs_marks_new(-1, NULL);
	world_put_crl(world, "trust.d/signing.crl", new);
	load_and_see(world);
	world_accepts(world, host);
	world_put_crl(world, "trust.d/old.crl", old);
	world_refuses(world, host, PVS_ERROR_HOST_KEY_REVOKED);
}

/* What leaves no mark: a client's, one that is not valid yet, is over, is forged, is another's, or
 * that is never enough for a document. */
static void test_unmarked(void)
{
	enum { BROUGHT, NOT_YET, OVER, FORGED, INTERMEDIATES, ONLY_CA, INDIRECT, REASONS, KINDS };
	static const char *const scopes[KINDS][2] = {
		[ONLY_CA] = {"2.5.29.28=critical,DER:30038201ff", NULL},
		[INDIRECT] = {"2.5.29.28=critical,DER:30038401ff", NULL},
		[REASONS] = {"2.5.29.28=critical,DER:300483020640", NULL},
	};

	for (guint kind = 0; kind < KINDS; kind++) {
		g_autoptr(World) world = world_new();
		g_autoptr(X509_CRL) old = crl_of(2, 1, NULL), crl = NULL;
		PvsPkiCrl spec =
			kind == INTERMEDIATES ? world_inter_crl_spec() : world_signing_crl_spec();
		EVP_PKEY *stranger = pvs_pki_rsa(3072);

		spec.from = -1;
		spec.until = WORLD_YEAR;
		spec.extensions = scopes[kind];
		if (kind == NOT_YET)
			spec.from = 1;
		if (kind == OVER)
			spec.until = 0;
		if (kind == FORGED)
			spec.issuer_key = stranger;
		crl = pvs_pki_crl(&spec);
		world->marks = pvs_marks_new(-1, NULL);
		world_put_crl(world, "trust.d/signing.crl", old);
		if (kind == BROUGHT)
			world_bring_crl(world, crl);
		else
			world_put_crl(world, "trust.d/0.crl", crl);
		load_and_see(world);
		g_test_message("%u", kind);
		world_accepts(world, host);
		g_assert_cmpint(pvs_marks_latest(world->marks), ==, WORLD_NOW - 2 * WORLD_DAY);
		EVP_PKEY_free(stranger);
	}
}

/* Installs, and sees, a CRL of the signing key that is @days old, with @scope (NULL: of all). */
static void put_part(World *world, const char *name, int days, const char *scope)
{
	const char *const extensions[] = {scope, NULL};
	PvsPkiCrl spec = world_signing_crl_spec();

	spec.from = -days * WORLD_DAY;
	spec.until = WORLD_YEAR;
	spec.extensions = extensions;
	world_put_crl_of(world, name, &spec);
	load_and_see(world);
}

/* A list in two parts, each of which is issued when it is due: neither makes the other an old one,
 * and each has its own mark. One that is about all is newer than either or it is not. */
static void test_parts(void)
{
	/* In DER: http://a/ and http://b/. */
	static const char *const names[] = {"a00da00b8609687474703a2f2f612f",
					    "a00da00b8609687474703a2f2f622f"};
	g_autoptr(World) world = world_new();
	X509 *documents[2];
	char *scopes[2];

	for (guint i = 0; i < 2; i++) {
		g_autofree char *point = g_strdup_printf("2.5.29.31=DER:3011300f%s", names[i]);
		const char *const extensions[] = {point, NULL};
		PvsPkiCert spec = world_host_spec();

		spec.extensions = extensions;
		documents[i] = pvs_pki_cert(&spec);
		scopes[i] = g_strdup_printf("2.5.29.28=critical,DER:300f%s", names[i]);
	}
	world->marks = pvs_marks_new(-1, NULL);
	world_remove(world, "trust.d/signing.crl");
	put_part(world, "trust.d/a.crl", 3, scopes[0]);
	put_part(world, "trust.d/b.crl", 4, scopes[1]);
	world_accepts(world, documents[0]);
	world_accepts(world, documents[1]);
	put_part(world, "trust.d/a.crl", 5, scopes[0]);
	world_refuses(world, documents[0], PVS_ERROR_CRL_ROLLED_BACK);
	world_accepts(world, documents[1]);
	put_part(world, "trust.d/b.crl", 5, scopes[1]);
	world_refuses(world, documents[1], PVS_ERROR_CRL_ROLLED_BACK);
	put_part(world, "trust.d/b.crl", 1, scopes[1]);
	world_accepts(world, documents[1]);
	put_part(world, "trust.d/all.crl", 2, NULL);
	world_accepts(world, documents[0]);
	world_accepts(world, documents[1]);
	/* What it said is not forgotten where it is taken away. */
	world_remove(world, "trust.d/all.crl");
	put_part(world, "trust.d/a.crl", 3, scopes[0]);
	world_refuses(world, documents[0], PVS_ERROR_CRL_ROLLED_BACK);
	world_accepts(world, documents[1]);
	for (guint i = 0; i < 2; i++) {
		X509_free(documents[i]);
		g_free(scopes[i]);
	}
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	dir = g_dir_make_tmp("pvs-marks-XXXXXX", NULL);
	world_start();
	host = pvs_pki_host(world_pki, world_host_key);
	g_test_add_func("/marks/order", test_order);
	g_test_add_func("/marks/of-the-key", test_of_the_key);
	g_test_add_func("/marks/torn", test_torn);
	g_test_add_func("/marks/damaged", test_damaged);
	g_test_add_func("/marks/layout", test_layout);
	g_test_add_func("/marks/full", test_full);
	g_test_add_func("/marks/unreadable", test_unreadable);
	g_test_add_func("/marks/rolled-back", test_rolled_back);
	g_test_add_func("/marks/still-revokes", test_still_revokes);
	g_test_add_func("/marks/unmarked", test_unmarked);
	g_test_add_func("/marks/parts", test_parts);
	status = g_test_run();
	X509_free(host);
	world_end();
	for (gsize i = 0; i < 4; i++) {
		static const char *const names[] = {"order", "damaged", "layout", "full"};
		g_autofree char *path = path_of(names[i]);

		g_unlink(path);
	}
	g_rmdir(dir);
	g_free(dir);
	return status;
}
