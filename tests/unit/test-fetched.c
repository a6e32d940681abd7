/* SPDX-License-Identifier: MIT */
/*
 * test-fetched.c - the directory of the CRLs that were fetched, which is not the owner's
 */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/trust-world.h"

/* Who fetches CRLs does not choose which other files are read. */
static void test_crl_directory(void)
{
	g_autoptr(World) world = world_new();
	g_autofree char *file = g_build_filename(world->trust, "signing.crl", NULL);
	g_autofree char *moved = g_build_filename(world->dir, "elsewhere", NULL);
	g_autofree char *there = g_build_filename(world->crl, "signing.crl", NULL);

	g_assert_cmpint(rename(file, moved), ==, 0);
	g_assert_cmpint(symlink(moved, there), ==, 0);
	{
		g_autoptr(PvsStore) store = world_load(world);

		g_assert_cmpuint(pvs_store_n_crls(store), ==, 2);
		g_assert_true(world_warned(store, "crl.d/signing.crl", "a link"));
	}
	g_assert_cmpint(unlink(there), ==, 0);
	g_assert_cmpint(link(moved, there), ==, 0);
	{
		g_autoptr(PvsStore) store = world_load(world);

		g_assert_cmpuint(pvs_store_n_crls(store), ==, 2);
		g_assert_true(world_warned(store, "crl.d/signing.crl", "one name"));
	}
	g_assert_cmpint(unlink(moved), ==, 0);
	{
		g_autoptr(PvsStore) store = world_load(world);

		g_assert_cmpuint(pvs_store_n_crls(store), ==, 3);
	}
}

static void put_crl_of_number(World *world, const char *name, guint64 number)
{
	PvsPkiCrl spec = world_signing_crl_spec();

	spec.number = number;
	world_put_crl_of(world, name, &spec);
}

/* Nor how much of the machine it takes. */
static void test_crl_directory_full(void)
{
	g_autoptr(World) world = world_new();
	g_autofree char *large = g_strnfill(world->paths.crl_size / 2 + 1, 'x');
	g_autofree char *other = g_strnfill(world->paths.crl_size / 2 + 1, 'y');

	world_put_text(world, "crl.d/a", large);
	world_put_text(world, "crl.d/b", other);
	put_crl_of_number(world, "crl.d/c", 10);
	{
		g_autoptr(PvsStore) store = world_load(world);

		g_assert_true(world_warned(store, "crl.d/a", "not certificates"));
		g_assert_true(world_warned(store, "crl.d/b", "larger than"));
		g_assert_cmpuint(pvs_store_n_crls(store), ==, 4);
	}
	world_remove(world, "crl.d/a");
	world_remove(world, "crl.d/b");
	for (guint i = 0; i < 1000; i++) {
		g_autofree char *name = g_strdup_printf("crl.d/%04u", i);

		world_put_crl(world, name, world_pki->signing_crl);
	}
	put_crl_of_number(world, "crl.d/0999", 9);
	put_crl_of_number(world, "crl.d/c", 10);
	{
		g_autoptr(PvsStore) store = world_load(world);

		/* The last by name is "c", the 1,001st. */
		g_assert_cmpuint(pvs_store_n_crls(store), ==, 4);
		g_assert_true(world_warned(store, "more than 1000 files", "(ignored)"));
	}
}

/* As many as a user can make: what is kept of them is bounded. */
static void test_crl_directory_names(void)
{
	g_autoptr(World) world = world_new();
	g_autofree char *first = g_build_filename(world->crl, "0", NULL);

	world_put_text(world, "crl.d/0", "x");
	for (guint i = 1; i < 20000; i++) {
		g_autofree char *name = g_strdup_printf("%s/%s%u", world->crl, i % 2 ? "." : "", i);

		g_assert_cmpint(link(first, name), ==, 0);
	}
	{
		g_autoptr(PvsStore) store = world_load(world);

		g_assert_true(world_warned(store, "crl.d: ", "more than 10000 names"));
		g_assert_cmpuint(pvs_store_n_crls(store), ==, 3);
	}
}

static void put_forged(World *world, const char *name, guint64 number)
{
	PvsPkiCrl spec = world_signing_crl_spec();

	spec.issuer_key = world_pki->inter_key;
	spec.number = number;
	world_put_crl_of(world, name, &spec);
}

static guint count_warned(const PvsStore *store, const char *text)
{
	guint n = 0;

	for (guint i = 0; i < pvs_store_warnings(store)->len; i++)
		if (strstr(pvs_store_warnings(store)->pdata[i], text))
			n++;
	return n;
}

/* Nor does it keep anything else from being said. */
static void test_crl_directory_warnings(void)
{
	g_autoptr(World) world = world_new();

	put_forged(world, "trust.d/forged.crl", 7);
	for (guint i = 0; i < 150; i++) {
		g_autofree char *hidden = g_strdup_printf("crl.d/.%u", i);

		world_put_text(world, hidden, "");
	}
	{
		g_autoptr(PvsStore) store = world_load(world);

		g_assert_true(world_warned(store, "forged.crl", "is not used"));
		g_assert_cmpuint(count_warned(store, "put aside"), ==, 20);
		g_assert_cmpuint(count_warned(store, "more is wrong there"), ==, 1);
	}
	for (guint i = 0; i < 150; i++) {
		g_autofree char *hidden = g_strdup_printf("crl.d/.%u", i);
		g_autofree char *shown = g_strdup_printf("crl.d/bad-%u", i);

		world_remove(world, hidden);
		put_forged(world, shown, 100 + i);
	}
	world_remove(world, "trust.d/signing.crt");
	{
		g_autoptr(PvsStore) store = world_load(world);

		g_assert_true(world_warned(store, "forged.crl", "is not used"));
		g_assert_true(world_warned(store, "trust.d", "no IBM Z host-key signing key"));
		g_assert_cmpuint(count_warned(store, "bad-"), ==, 20);
	}
}

/* In one file, and with no signature: what each of them costs later is bounded. */
static void test_crl_directory_crls(void)
{
	g_autoptr(World) world = world_new();
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < 2000; i++) {
		PvsPkiCrl spec = world_signing_crl_spec();
		g_autoptr(GBytes) pem = NULL;
		g_autoptr(X509_CRL) crl = NULL;

		spec.issuer_key = world_pki->inter_key;
		spec.number = 100 + i;
		crl = pvs_pki_crl(&spec);
		pem = pvs_pki_crl_pem(crl);
		g_string_append_len(text, g_bytes_get_data(pem, NULL),
				    (gssize)g_bytes_get_size(pem));
	}
	world_put(world, "crl.d/many.crl", g_string_free_to_bytes(text));
	put_crl_of_number(world, "crl.d/more.crl", 9);
	put_crl_of_number(world, "trust.d/mine.crl", 10);
	{
		g_autoptr(PvsStore) store = world_load(world);

		g_assert_cmpuint(pvs_store_n_crls(store), ==, 4 + 1000);
		g_assert_cmpuint(count_warned(store, "more than 1000 CRLs"), ==, 1);
		g_assert_true(world_warned(store, "crl.d/many.crl", "more than 1000 CRLs"));
	}
}

static void test_fetched(void)
{
	g_autoptr(World) world = world_new();
	g_autofree char *path = g_build_filename(world->dir, "crl.d/fetched.crl", NULL);
	g_autoptr(PvsStore) store = NULL;

	world_remove(world, "trust.d/signing.crl");
	world_put(world, "crl.d/fetched.crl", pvs_pki_crl_pem(world_pki->signing_crl));
	g_assert_cmpint(g_chmod(path, 0666), ==, 0);
	store = world_load(world);
	g_assert_cmpuint(pvs_store_n_crls(store), ==, 3);
}

/* A CRL of nobody: its issuer's name has no entries. */
static void test_nobodys(void)
{
	g_autoptr(World) world = world_new();
	g_autoptr(X509) host = pvs_pki_host(world_pki, world_host_key);
	PvsPkiCrl spec = world_signing_crl_spec();
	g_autoptr(PvsStore) store = NULL;

	spec.issuer_name = "";
	world_put_crl_of(world, "crl.d/nobody.crl", &spec);
	store = world_load(world);
	g_assert_cmpuint(pvs_store_n_crls(store), ==, 4);
	g_assert_true(world_warned(store, "nobody.crl", "its issuer is not installed"));
	world_accepts(world, host);
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	world_start();
	g_test_add_func("/fetched/links", test_crl_directory);
	g_test_add_func("/fetched/full", test_crl_directory_full);
	g_test_add_func("/fetched/names", test_crl_directory_names);
	g_test_add_func("/fetched/warnings", test_crl_directory_warnings);
	g_test_add_func("/fetched/crls", test_crl_directory_crls);
	g_test_add_func("/fetched/mode", test_fetched);
	g_test_add_func("/fetched/nobodys", test_nobodys);
	status = g_test_run();
	world_end();
	return status;
}
