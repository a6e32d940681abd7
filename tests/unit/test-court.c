/* SPDX-License-Identifier: MIT */
/*
 * test-court.c - verdicts over time, with a clock of the test's own
 */
#include "daemon/trust/court.h"

#include <string.h>

#include "daemon/trust/inventory.h"
#include "tests/unit/session.h"

/* ---- expiry while running ---- */

static void test_crl_expires(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};

	session_time = WORLD_NOW;
	session_put_crl(world, "trust.d/signing.crl", -1, 5);
	session_load(&session, world);
	for (guint i = 0; i < 1000; i++)
		g_assert_cmpstr(session_judge(&session), ==, NULL);
	/* All but the first cost nothing. */
	g_assert_cmpuint(pvs_court_reached(session.court), ==, 1);
	session_time = WORLD_NOW + 5 * WORLD_DAY - 1;
	g_assert_cmpstr(session_judge(&session), ==, NULL);
	g_assert_cmpuint(pvs_court_reached(session.court), ==, 1);
	/* The first call at nextUpdate. */
	session_time++;
	g_assert_cmpstr(session_judge(&session), ==, "crl-expired");
	g_assert_cmpstr(session_judge(&session), ==, "crl-expired");
	/* A fresh one and a reload. */
	session_put_crl(world, "trust.d/signing.crl", 4, 11);
	session_load(&session, world);
	g_assert_cmpstr(session_judge(&session), ==, NULL);
	/* And back: the verdict was none yet then. */
	session_time = WORLD_NOW + 4 * WORLD_DAY - 1;
	g_assert_cmpstr(session_judge(&session), ==, "crl-not-yet-valid");
}

static void test_certificate_expires(void)
{
	static const struct {
		const char *file;
		const char *reason;
	} cases[] = {
		{"trust.d/signing.crt", "signing-key-expired"},
		{"trust.d/inter.crt", "signing-key-expired"},
		{"root.crt", "signing-key-expired"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(World) world = world_new();
		g_auto(Session) session = {NULL, NULL};
		PvsPkiCert specs[] = {world_signing_spec(), world_inter_spec(), world_root_spec()};

		session_time = WORLD_NOW;
		specs[i].from = -WORLD_DAY;
		specs[i].until = 3 * WORLD_DAY;
		world_put_cert_of(world, cases[i].file, &specs[i]);
		session_load(&session, world);
		g_assert_cmpstr(session_judge(&session), ==, NULL);
		session_time = WORLD_NOW + 3 * WORLD_DAY - 1;
		g_assert_cmpstr(session_judge(&session), ==, NULL);
		session_time++;
		g_assert_cmpstr(session_judge(&session), ==, cases[i].reason);
	}
}

/* ---- what is remembered ---- */

/* Many documents of one signing key: its chain is validated once. */
static void test_chain_once(void)
{
	enum { DOCUMENTS = 10 };
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	g_autoptr(PvsX509Stack) certs = sk_X509_new_null();
	guint8 digest[32] = {2};

	session_time = WORLD_NOW;
	session_load(&session, world);
	for (guint i = 0; i < DOCUMENTS; i++) {
		g_autoptr(X509) one = pvs_pki_host(world_pki, world_host_key);
		g_autoptr(GBytes) der = pvs_pki_der(one);
		g_autoptr(PvsVerdict) verdict =
			pvs_court_judge(session.court, der, NULL, NULL, session_nothing, NULL);

		g_assert_nonnull(verdict);
		/* It has all its links, as if it were the only one. */
		g_assert_cmpuint(verdict->links->len, ==, 7);
	}
	g_assert_cmpuint(pvs_court_reached(session.court), ==, DOCUMENTS);
	g_assert_cmpuint(pvs_court_chains_reached(session.court), ==, 1);
	/* What a client brings is not mixed up with it. */
	X509_up_ref(world_pki->inter);
	sk_X509_push(certs, world_pki->inter);
	pvs_verdict_unref(
		pvs_court_judge(session.court, session_document, certs, NULL, digest, NULL));
	g_assert_cmpuint(pvs_court_reached(session.court), ==, DOCUMENTS + 1);
	g_assert_cmpuint(pvs_court_chains_reached(session.court), ==, 1);
}

/* A client's CRL revokes the intermediate: for his call, and for no other; and a remembered chain
 * does not keep it from being heard. */
static void test_chain_and_client(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	g_autoptr(PvsCrlStack) crls = sk_X509_CRL_new_null();
	PvsPkiCrl spec = world_root_crl_spec();
	const X509 *list[] = {world_pki->inter, NULL};
	const guint8 digest[32] = {2};
	g_autoptr(GError) error = NULL;

	session_time = WORLD_NOW;
	session_load(&session, world);
	g_assert_cmpstr(session_judge(&session), ==, NULL);
	spec.revoked = list;
	spec.from = -1;
	spec.until = WORLD_YEAR;
	sk_X509_CRL_push(crls, pvs_pki_crl(&spec));
	g_assert_null(pvs_court_judge(session.court, session_document, NULL, crls, digest, &error));
	world_assert_reason(error, PVS_ERROR_SIGNING_KEY_REVOKED);
	g_assert_cmpstr(session_judge(&session), ==, NULL);
}

/* The links of a chain have a start and an end of their own, by the clock of each call. */
static void test_chain_dates(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	PvsPkiCert old = world_host_spec(), signing = world_signing_spec();
	PvsPkiCrl crl = world_signing_crl_spec(), inter = world_inter_crl_spec();
	g_autoptr(X509) cert = NULL;
	g_autoptr(GBytes) der = NULL;
	static const struct {
		int day;
		const char *reason;
	} cases[] = {
		{0, NULL},	     {-4, NULL}, {-6, "signing-key-expired"}, {0, NULL}, {9, NULL},
		{11, "crl-expired"}, {0, NULL},	 {-6, "signing-key-expired"}, {0, NULL},
	};

	session_time = WORLD_NOW;
	signing.from = -5 * WORLD_DAY;
	signing.until = 100 * WORLD_DAY;
	world_put_cert_of(world, "trust.d/signing.crt", &signing);
	old.from = crl.from = -9 * WORLD_DAY;
	old.until = crl.until = 100 * WORLD_DAY;
	world_put_crl_of(world, "trust.d/signing.crl", &crl);
	inter.from = -9 * WORLD_DAY;
	inter.until = 10 * WORLD_DAY;
	world_put_crl_of(world, "trust.d/inter.crl", &inter);
	inter = world_root_crl_spec();
	inter.from = -9 * WORLD_DAY;
	inter.until = 100 * WORLD_DAY;
	world_put_crl_of(world, "trust.d/root.crl", &inter);
	{
		/* Of the authorities, from before all of that. */
		PvsPkiCert ca = world_inter_spec(), root = world_root_spec();

		ca.from = root.from = -9 * WORLD_DAY;
		ca.until = root.until = 100 * WORLD_DAY;
		world_put_cert_of(world, "trust.d/inter.crt", &ca);
		world_put_cert_of(world, "root.crt", &root);
	}
	session_load(&session, world);
	cert = pvs_pki_cert(&old);
	der = pvs_pki_der(cert);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		/* Others, that no memory of documents has. */
		g_autoptr(GError) error = NULL;
		const guint8 digest[32] = {(guint8)i};
		g_autoptr(PvsVerdict) verdict = NULL;

		g_test_message("day %d", cases[i].day);
		session_time = WORLD_NOW + cases[i].day * WORLD_DAY;
		verdict = pvs_court_judge(session.court, der, NULL, NULL, digest, &error);
		g_assert_cmpstr(error ? pvs_error_reason((PvsError)error->code) : NULL, ==,
				cases[i].reason);
	}
}

/* More installed documents than are remembered of clients: neither makes the other forgotten. */
static void test_installed(void)
{
	enum { NAMES = 1100 };
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	g_autoptr(GBytes) pem = pvs_pki_pem(session_host);

	G_STATIC_ASSERT(NAMES > PVS_MEMO_MAX);
	session_time = WORLD_NOW;
	for (guint i = 0; i < NAMES; i++) {
		g_autofree char *name = g_strdup_printf("hostkeys.d/k%04u.crt", i);

		world_put(world, name, g_bytes_ref(pem));
	}
	session_load(&session, world);
	g_assert_cmpstr(session_judge(&session), ==, NULL);
	for (guint round = 0; round < 2; round++) {
		for (guint i = 0; i < NAMES; i++) {
			g_autofree char *name = g_strdup_printf("k%04u", i);

			pvs_inventory_look_at(session.court, name);
		}
		g_assert_false(session_says(&session, "host key"));
		g_assert_cmpstr(session_judge(&session), ==, NULL);
		g_assert_cmpuint(pvs_court_reached(session.court), ==, NAMES + 1);
	}
	g_assert_cmpuint(pvs_court_chains_reached(session.court), ==, 1);
}

/* By name, over time: a verdict to its end; a refusal is said again for a while where it is only
 * shown, and asked anew by every call. */
static void test_installed_over_time(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	PvsPkiCert spec = world_host_spec();
	g_autoptr(GError) error = NULL, other = NULL, again = NULL, shown = NULL;
	g_autoptr(PvsVerdict) verdict = NULL;

	session_time = WORLD_NOW;
	spec.from = 100;
	spec.until = 200;
	world_put_cert_of(world, "hostkeys.d/one.crt", &spec);
	session_load(&session, world);
	g_assert_null(pvs_court_judge_installed(session.court, "one", 0, &error));
	world_assert_reason(error, PVS_ERROR_HOST_KEY_NOT_YET);
	g_assert_cmpuint(pvs_court_reached(session.court), ==, 1);
	session_time = WORLD_NOW + 100;
	g_assert_null(pvs_court_judge_installed(session.court, "one", 101, &shown));
	world_assert_reason(shown, PVS_ERROR_HOST_KEY_NOT_YET);
	g_assert_cmpuint(pvs_court_reached(session.court), ==, 1);
	verdict = pvs_court_judge_installed(session.court, "one", 100, &other);
	g_assert_no_error(other);
	g_assert_nonnull(verdict);
	g_assert_cmpuint(pvs_court_reached(session.court), ==, 2);
	session_time = WORLD_NOW + 199;
	pvs_verdict_unref(pvs_court_judge_installed(session.court, "one", 0, NULL));
	g_assert_cmpuint(pvs_court_reached(session.court), ==, 2);
	session_time++;
	g_assert_null(pvs_court_judge_installed(session.court, "one", 1000, &other));
	world_assert_reason(other, PVS_ERROR_HOST_KEY_EXPIRED);
	/* Back: it was good then, and before that not yet. */
	session_time = WORLD_NOW + 150;
	pvs_verdict_unref(pvs_court_judge_installed(session.court, "one", 1000, &again));
	g_assert_no_error(again);
	session_time = WORLD_NOW + 99;
	g_assert_null(pvs_court_judge_installed(session.court, "one", 1000, &again));
	world_assert_reason(again, PVS_ERROR_HOST_KEY_NOT_YET);
	g_assert_null(pvs_court_judge_installed(session.court, "two", 1000, NULL));
}

/* A CRL that was seen ends all that was remembered. */
static void test_installed_and_marks(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	PvsMarks *marks = pvs_marks_new(-1, NULL);
	g_autoptr(GError) error = NULL;

	session_time = WORLD_NOW;
	world_put_cert(world, "hostkeys.d/one.crt", session_host);
	session_put_crl(world, "trust.d/signing.crl", -9, 100);
	session_load(&session, world);
	pvs_verdict_unref(pvs_court_judge_installed(session.court, "one", 0, &error));
	g_assert_no_error(error);
	g_assert_true(pvs_marks_see(marks, world_pki->signing, world_pki->signing_crl, NULL));
	pvs_court_set_marks(session.court, marks);
	g_assert_null(pvs_court_judge_installed(session.court, "one", 1000, &error));
	world_assert_reason(error, PVS_ERROR_CRL_ROLLED_BACK);
}

/* ---- marks ---- */

/* A CRL that was not valid yet when the store was loaded: when it is, the older one is over, for
 * verdicts that were reached with it, too. */
static void test_mark_comes(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};

	session_time = WORLD_NOW;
	session_put_crl(world, "trust.d/signing.crl", -1, 100);
	session_put_crl(world, "trust.d/next.crl", 2, 100);
	session_load(&session, world);
	g_assert_cmpstr(session_judge(&session), ==, NULL);
	g_assert_cmpuint(pvs_court_reached(session.court), ==, 1);
	session_time = WORLD_NOW + 2 * WORLD_DAY;
	pvs_court_tick(session.court, NULL);
	g_assert_cmpstr(session_judge(&session), ==, NULL);
	g_assert_cmpuint(pvs_court_reached(session.court), ==, 2);
}

/* And refusals end with it, however long they may serve. */
static void test_mark_ends_refusal(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	g_autoptr(GError) early = NULL, error = NULL;

	session_time = WORLD_NOW;
	world_put_cert(world, "hostkeys.d/one.crt", session_host);
	session_put_crl(world, "trust.d/signing.crl", 2, 100);
	session_load(&session, world);
	g_assert_null(pvs_court_judge_installed(session.court, "one", 0, &early));
	world_assert_reason(early, PVS_ERROR_CRL_NOT_YET);
	session_time = WORLD_NOW + 2 * WORLD_DAY;
	g_assert_null(pvs_court_judge_installed(session.court, "one", G_MAXINT64, NULL));
	pvs_court_tick(session.court, NULL);
	pvs_verdict_unref(pvs_court_judge_installed(session.court, "one", G_MAXINT64, &error));
	g_assert_no_error(error);
}

/* Marks that come to a court which judged before: what it remembers was said without them. */
static void test_marks_come(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	PvsPkiCrl spec = world_signing_crl_spec();
	g_autoptr(X509_CRL) newer = NULL;
	PvsMarks *marks = pvs_marks_new(-1, NULL); /* the court's */

	session_time = WORLD_NOW;
	session_put_crl(world, "trust.d/signing.crl", -2, 100);
	session_load(&session, world);
	g_assert_cmpstr(session_judge(&session), ==, NULL);
	spec.from = -WORLD_DAY;
	spec.until = WORLD_YEAR;
	newer = pvs_pki_crl(&spec);
	g_assert_true(pvs_marks_see(marks, world_pki->signing, newer, NULL));
	pvs_court_set_marks(session.court, marks);
	g_assert_cmpstr(session_judge(&session), ==, "crl-rolled-back");
}

/* A CRL that begins later and revokes is heard from its first second on, whoever issued it; and
 * what was granted until then ends then. */
static void test_revoked_later(void)
{
	static const char *const files[] = {"trust.d/next.crl", "trust.d/next.crl",
					    "crl.d/next.crl"};
	const X509 *revoked[] = {session_host, world_pki->signing, world_pki->inter};
	static const char *const reasons[] = {"revoked", "signing-key-revoked",
					      "signing-key-revoked"};

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autoptr(World) world = world_new();
		g_auto(Session) session = {NULL, NULL};
		PvsPkiCrl specs[] = {world_signing_crl_spec(), world_inter_crl_spec(),
				     world_root_crl_spec()};
		const X509 *list[] = {revoked[i], NULL};
		g_autoptr(PvsVerdict) verdict = NULL;

		session_time = WORLD_NOW;
		specs[i].from = 300;
		specs[i].until = WORLD_YEAR;
		specs[i].revoked = list;
		world_put_crl_of(world, files[i], &specs[i]);
		session_load(&session, world);
		verdict = pvs_court_judge(session.court, session_document, NULL, NULL,
					  session_nothing, NULL);
		g_assert_nonnull(verdict);
		g_assert_cmpint(verdict->until, ==, WORLD_NOW + 300);
		session_time = WORLD_NOW + 299;
		g_assert_cmpstr(session_judge(&session), ==, NULL);
		session_time++;
		g_assert_cmpstr(session_judge(&session), ==, reasons[i]);
		/* One that nobody signed shortens nothing. */
		session_time = WORLD_NOW;
		specs[i].issuer_key = world_host_key;
		specs[i].digest = EVP_sha512();
		world_put_crl_of(world, files[i], &specs[i]);
		session_load(&session, world);
		g_clear_pointer(&verdict, pvs_verdict_unref);
		verdict = pvs_court_judge(session.court, session_document, NULL, NULL,
					  session_nothing, NULL);
		g_assert_nonnull(verdict);
		g_assert_cmpint(verdict->until, >, WORLD_NOW + WORLD_DAY);
	}
}

/* ---- the clock ---- */

static void test_clock(void)
{
	static const gint64 steps[] = {-WORLD_DAY, WORLD_DAY, 10 * (gint64)WORLD_YEAR,
				       -WORLD_NOW, -30,	      0};

	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
		g_autoptr(World) world = world_new();
		g_auto(Session) session = {NULL, NULL};

		session_time = WORLD_NOW;
		session_put_crl(world, "trust.d/signing.crl", -2, 20);
		session_load(&session, world);
		g_assert_cmpstr(session_judge(&session), ==, NULL);
		g_assert_false(session_says(&session, "the clock"));
		session_time = WORLD_NOW + steps[i];
		/* A warning, no refusal: but for what is not valid at that time. */
		g_assert_cmpint(session_says(&session, "the clock"), ==, steps[i] < -60);
		if (steps[i] >= -WORLD_DAY && steps[i] <= WORLD_DAY)
			g_assert_cmpstr(session_judge(&session), ==, NULL);
		else
			g_assert_cmpstr(session_judge(&session), !=, NULL);
		session_time = WORLD_NOW;
		g_assert_cmpstr(session_judge(&session), ==, NULL);
	}
}

/* The latest is that of any look at the clock: at the start, at a tick, at a verdict. */
static void test_clock_seen(void)
{
	enum { START, TICK, VERDICT, REMEMBERED, LOOKS };

	for (guint look = START; look < LOOKS; look++) {
		g_autoptr(World) world = world_new();
		g_auto(Session) session = {NULL, NULL};

		session_time = look == START ? WORLD_NOW + WORLD_DAY : WORLD_NOW;
		session.store = world_load(world);
		session.court = pvs_court_new(session.store, session_clock);
		if (look == REMEMBERED)
			g_assert_cmpstr(session_judge(&session), ==, NULL);
		session_time = WORLD_NOW + WORLD_DAY;
		if (look == TICK)
			pvs_court_tick(session.court, NULL);
		if (look == VERDICT || look == REMEMBERED)
			g_assert_cmpstr(session_judge(&session), ==, NULL);
		session_time = WORLD_NOW;
		g_test_message("%u", look);
		g_assert_cmpint(pvs_court_clock_behind(session.court), ==, WORLD_DAY);
	}
}

/* Also across a restart: a CRL that was seen says how late it is at least. */
static void test_clock_behind_mark(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	PvsPkiCrl spec = world_signing_crl_spec();
	g_autoptr(X509_CRL) late = NULL;
	PvsMarks *marks = pvs_marks_new(-1, NULL);

	spec.from = 3600;
	spec.until = WORLD_YEAR;
	late = pvs_pki_crl(&spec);
	g_assert_true(pvs_marks_see(marks, world_pki->signing, late, NULL));
	session_time = WORLD_NOW;
	session.store = world_load(world);
	session.court = pvs_court_new(session.store, session_clock);
	g_assert_cmpint(pvs_court_clock_behind(session.court), ==, 0);
	pvs_court_set_marks(session.court, marks);
	g_assert_cmpint(pvs_court_clock_behind(session.court), ==, 3600);
	g_assert_true(session_says(&session, "the clock has gone back"));
	session_time = WORLD_NOW + 3600;
	g_assert_cmpint(pvs_court_clock_behind(session.court), ==, 0);
}

/* A tick ten minutes after the last; TRUE where the clock is said to be behind. */
static gboolean tick_later(Session *session)
{
	session_time += 600;
	pvs_court_tick(session->court, NULL);
	return pvs_court_clock_behind(session->court) > 0;
}

/* It was ahead for one tick, and was set right: that is said for a day, and not for as long as it
 * was ahead. */
static void test_clock_set_right(void)
{
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};

	session_time = WORLD_NOW;
	session_put_crl(world, "trust.d/signing.crl", -2, 20);
	session_load(&session, world);
	g_assert_false(tick_later(&session));
	session_time += 10 * (gint64)WORLD_YEAR;
	g_assert_false(tick_later(&session));
	session_time = WORLD_NOW + WORLD_DAY;
	for (guint i = 1; i < PVS_COURT_TICKS_BEHIND; i++)
		g_assert_true(tick_later(&session));
	g_assert_true(session_says(&session, "the clock has gone back"));
	g_assert_cmpstr(session_judge(&session), ==, NULL);
	/* It has gone back once more: that counts from here. */
	session_time -= 3600;
	for (guint i = 1; i < PVS_COURT_TICKS_BEHIND; i++)
		g_assert_true(tick_later(&session));
	g_assert_false(tick_later(&session));
	g_assert_false(session_says(&session, "the clock"));
	/* Ticks from before a time when it was right do not count; that it was ahead may have been
	 * seen between two ticks. */
	session_time -= 7200;
	for (guint i = 1; i < 12; i++)
		g_assert_true(tick_later(&session));
	g_assert_false(tick_later(&session));
	session_time += 10 * (gint64)WORLD_YEAR;
	g_assert_cmpstr(session_judge(&session), !=, NULL);
	session_time -= 10 * (gint64)WORLD_YEAR;
	for (guint i = 1; i < PVS_COURT_TICKS_BEHIND; i++)
		g_assert_true(tick_later(&session));
	g_assert_false(tick_later(&session));
}

/* ---- large stores ---- */

/* A CRL of 200,000 entries and 1,000 files, of which no call sees anything. */
static void test_large(void)
{
	enum { FILES = 1000, ENTRIES = 199000, DOCUMENTS = 50 };
	g_autoptr(World) world = world_new();
	g_auto(Session) session = {NULL, NULL};
	PvsPkiCrl spec = world_signing_crl_spec();
	g_autoptr(GBytes) cert = pvs_pki_pem(world_pki->inter);
	gint64 started = g_get_monotonic_time(), loaded, judged;

	session_time = WORLD_NOW;
	spec.more = ENTRIES;
	world->paths.crl_size = 64 * 1024 * 1024;
	world_put_crl_of(world, "trust.d/signing.crl", &spec);
	for (guint i = 0; i < FILES; i++) {
		g_autofree char *name = g_strdup_printf("trust.d/%04u.crt", i);

		world_put(world, name, g_bytes_ref(cert));
	}
	g_test_message("made in %.3f s", (double)(g_get_monotonic_time() - started) / 1e6);
	started = g_get_monotonic_time();
	session_load(&session, world);
	loaded = g_get_monotonic_time();
	g_assert_cmpuint(pvs_store_n_certs(session.store), ==, FILES + 3);
	for (guint i = 0; i < DOCUMENTS; i++) {
		g_autoptr(X509) one = pvs_pki_host(world_pki, world_host_key);
		g_autoptr(GBytes) der = pvs_pki_der(one);
		g_autoptr(GError) error = NULL;
		g_autoptr(PvsVerdict) verdict =
			pvs_court_judge(session.court, der, NULL, NULL, session_nothing, &error);

		g_assert_no_error(error);
		g_assert_nonnull(verdict);
		pvs_verdict_unref(
			pvs_court_judge(session.court, der, NULL, NULL, session_nothing, &error));
	}
	judged = g_get_monotonic_time();
	g_assert_cmpuint(pvs_court_reached(session.court), ==, DOCUMENTS);
	g_test_message("loaded in %.3f s; %d documents made and judged in %.3f s",
		       (double)(loaded - started) / 1e6, DOCUMENTS,
		       (double)(judged - loaded) / 1e6);
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	session_start();
	g_test_add_func("/court/crl-expires", test_crl_expires);
	g_test_add_func("/court/certificate-expires", test_certificate_expires);
	g_test_add_func("/court/chain/once", test_chain_once);
	g_test_add_func("/court/chain/client", test_chain_and_client);
	g_test_add_func("/court/chain/dates", test_chain_dates);
	g_test_add_func("/court/installed", test_installed);
	g_test_add_func("/court/installed/time", test_installed_over_time);
	g_test_add_func("/court/installed/marks", test_installed_and_marks);
	g_test_add_func("/court/mark-comes", test_mark_comes);
	g_test_add_func("/court/mark-ends-refusal", test_mark_ends_refusal);
	g_test_add_func("/court/marks-come", test_marks_come);
	g_test_add_func("/court/revoked-later", test_revoked_later);
	g_test_add_func("/court/clock", test_clock);
	g_test_add_func("/court/clock/seen", test_clock_seen);
	g_test_add_func("/court/clock/mark", test_clock_behind_mark);
	g_test_add_func("/court/clock/set-right", test_clock_set_right);
	g_test_add_func("/court/large", test_large);
	status = g_test_run();
	session_end();
	return status;
}
