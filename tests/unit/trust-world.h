/* SPDX-License-Identifier: MIT */
/*
 * trust-world.h - what an owner installed and what a client brings, for the tests of trust
 *
 * A world is a directory with a root CA and trust.d as make-pki writes them, in which a test
 * changes one thing. Its time is WORLD_NOW, years from the machine's: what looks at the machine's
 * clock fails.
 */
#pragma once

#include "daemon/trust/verdict.h"
#include "tests/pki/pki.h"

#define WORLD_NOW  G_GINT64_CONSTANT(2000000000)
#define WORLD_DAY  (24 * 3600)
#define WORLD_YEAR (365 * WORLD_DAY)

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsPki, pvs_pki_free)

/* Makes world_pki and a host's key; sets the clock of pki.h. First in main(). */
void world_start(void);
void world_end(void);
extern PvsPki *world_pki;
extern EVP_PKEY *world_host_key; /* P-521 */

typedef struct {
	char *dir, *trust, *crl, *host_keys, *root;
	PvsStorePaths paths;
	PvsX509Stack *extra_certs;
	PvsCrlStack *extra_crls;
	PvsMarks *marks; /* NULL: nothing was seen before */
	gint64 now;
} World;

/* With all that is needed installed: root.crt, trust.d/{signing,inter}.crt and
 * {signing,inter,root}.crl; crl.d and hostkeys.d are empty. */
World *world_new(void);
World *world_new_empty(void); /* with empty directories and no root */
void world_free(World *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

/* Installs under @name, "trust.d/inter.crt"; what is there is replaced. Takes @bytes. */
void world_put(World *world, const char *name, GBytes *bytes);
void world_put_text(World *world, const char *name, const char *text);
void world_put_cert(World *world, const char *name, const X509 *cert);
void world_put_crl(World *world, const char *name, const X509_CRL *crl);
void world_remove(World *world, const char *name);

/* The client brings it. Neither is taken. */
void world_bring_cert(World *world, X509 *cert);
void world_bring_crl(World *world, X509_CRL *crl);

PvsStore *world_load(World *world);   /* must load */
char *world_load_error(World *world); /* must not: what is said */

/* TRUE where a warning of the store has both texts in it. */
gboolean world_warned(const PvsStore *store, const char *file, const char *what);

/* The verdict on a document in the world's present; none of these takes it. */
PvsVerdict *world_judge(World *world, GBytes *document, GError **error);
PvsVerdict *world_judge_cert(World *world, const X509 *document, GError **error);

#define world_accepts(world, document)                                                       \
	G_STMT_START                                                                         \
	{                                                                                    \
		g_autoptr(GError) error_ = NULL;                                             \
		g_autoptr(PvsVerdict) verdict_ = world_judge_cert(world, document, &error_); \
		g_assert_no_error(error_);                                                   \
		g_assert_nonnull(verdict_);                                                  \
	}                                                                                    \
	G_STMT_END

#define world_refuses(world, document, wanted)                             \
	G_STMT_START                                                       \
	{                                                                  \
		g_autoptr(GError) error_ = NULL;                           \
		g_assert_null(world_judge_cert(world, document, &error_)); \
		world_assert_reason(error_, wanted);                       \
	}                                                                  \
	G_STMT_END

/* The level in a refusal's name; @wanted NULL: it is about the document. */
#define world_assert_level(error, wanted) g_assert_cmpstr(pvs_error_name(error), ==, wanted)

/* By reason, which says more than a number. */
#define world_assert_reason(error, wanted)                                     \
	G_STMT_START                                                           \
	{                                                                      \
		g_assert_nonnull(error);                                       \
		g_assert_true((error)->domain == PVS_ERROR);                   \
		g_assert_cmpstr(pvs_error_reason((PvsError)(error)->code), ==, \
				pvs_error_reason(wanted));                     \
	}                                                                      \
	G_STMT_END

/* Specifications of what is installed, to be changed in one thing. */
PvsPkiCert world_root_spec(void);
PvsPkiCert world_inter_spec(void);
PvsPkiCert world_signing_spec(void);
PvsPkiCert world_host_spec(void);
PvsPkiCrl world_root_crl_spec(void);
PvsPkiCrl world_inter_crl_spec(void);
PvsPkiCrl world_signing_crl_spec(void); /* lists nothing */

/* Installs what a specification says. */
void world_put_cert_of(World *world, const char *name, const PvsPkiCert *spec);
void world_put_crl_of(World *world, const char *name, const PvsPkiCrl *spec);
