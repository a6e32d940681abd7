/* SPDX-License-Identifier: MIT */
/*
 * test-hostile.c - trust and vault among fronts that an attacker has taken over
 *
 * A front that sends whatever it likes. Nothing is gained: no request for a grant that is
 * another's, no grant for a document that nobody signed, no process that dies. Each message is
 * answered, or its channel is cut. PVS_HOSTILE_MESSAGES says how many for each case.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/pki/pki.h"
#include "tests/unit/attacker.h"
#include "tests/unit/plain-request.h"
#include "tests/unit/rules.h"
#include "tests/unit/trust-process.h"

/* ---- a hostile front at the vault ---- */

/* Front 1 is uid 1001's; attackers are others. */
#define HONEST_ALONE "Users=1001\nMethods=*\nCcks=*\nNames=*\n"

static int add_front(End *monitor, guint number)
{
	PvsAddFront body = {.front = number, .uid = 1000 + number, .gid = 100};
	int mine, its = vault_channel_pair(&mine);

	vault_say(monitor, PVS_MESSAGE_ADD_FRONT, 0, pvs_add_front_fields, &body, its);
	close(its);
	return mine;
}

static int raw_front(End *monitor, guint number)
{
	int fd = add_front(monitor, number);

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return fd;
}

/* Sends @messages, each on a channel that is not cut yet; how many were the end of theirs. */
static guint attack(End *monitor, guint messages, const AttackerSample *samples, guint n,
		    void (*look)(guint32 type, PvsReader body))
{
	guint front = 100, answers = 0, ends = 0;
	int fd = -1;

	for (guint i = 0; i < messages; i++) {
		g_autoptr(GByteArray) out = g_byte_array_new();
		AttackerShape shape = attacker_make(out, samples, n);
		gboolean lives;

		if (fd < 0)
			fd = raw_front(monitor, front++);
		lives = attacker_send(fd, out, attacker_roll(50) == 0 ? fd : -1);
		if (lives && shape == ATTACKER_CUT)
			shutdown(fd, SHUT_WR);
		lives = lives && attacker_hear(fd, look);
		answers += lives;
		ends += !lives;
		/* After the end of what it sends, the other side ends it as well. */
		if (shape == ATTACKER_CUT || !lives) {
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0)
		close(fd);
	g_test_message("%u answers, %u ends", answers, ends);
	g_assert_cmpuint(answers, >, messages / 10);
	g_assert_cmpuint(ends, >, messages / 10);
	return ends;
}

static const guint8 others_front = 1;

typedef enum { ANYBODY, STRANGER, LOOSE } Whom;

static GBytes *body_of(const PvsField *fields, gconstpointer body)
{
	g_auto(PvsWriter) w = pvs_writer();

	pvs_body_put(&w, fields, body);
	return g_bytes_new(w.data, w.size);
}

/* A call that makes sense, for any of the grants that are another's, with any name and key. */
static PvsBuild some_build(void)
{
	static const char *const names[] = {"n", "canary", "../n", "\",\"uid\":1001,\"x\":\"",
					    "\n{\"n\":1,\"uid\":1001,"};
	static const char *const ccks[] = {NULL, "prod", "test", "none", "../test", "."};
	PvsBuild build = vault_association(attacker_roll(PVS_GRANTS_MAX));

	build.pid = g_rand_int(attacker_dice);
	build.name = (char *)names[attacker_roll(G_N_ELEMENTS(names))];
	build.cck = (char *)ccks[attacker_roll(G_N_ELEMENTS(ccks))];
	build.image = attacker_roll(4) ? NULL : (char *)"web";
	build.flags = attacker_roll(2) ? 0 : g_rand_int(attacker_dice);
	for (guint i = 0; i < sizeof build.tags; i++)
		build.tags[i] = (guint8)attacker_roll(256);
	if (attacker_roll(2))
		memset(build.cuid, 0, sizeof build.cuid);
	if (attacker_roll(2)) {
		build.value_kind = (guint8)attacker_roll(PVS_VALUE_DERIVED + 1);
		build.value.size = 0;
	}
	if (attacker_roll(3) == 0)
		build.type = (guint16)attacker_roll(0x18);
	if (attacker_roll(3) == 0)
		build.extension_secret = (char *)ccks[attacker_roll(G_N_ELEMENTS(ccks))];
	if (attacker_roll(3) == 0)
		build.new_cck = (char *)ccks[attacker_roll(G_N_ELEMENTS(ccks))];
	if (attacker_roll(3) == 0)
		build.user_sign_key = (char *)ccks[attacker_roll(G_N_ELEMENTS(ccks))];
	build.use_name = (guint8)(attacker_roll(4) == 0);
	build.no_verify = (guint8)(attacker_roll(4) == 0);
	build.has_user_data = (guint8)(attacker_roll(4) == 0);
	return build;
}

static GBytes *craft_build(void)
{
	const PvsBuild build = some_build();

	return body_of(pvs_build_fields, &build);
}

static GBytes *craft_judge(void)
{
	PvsBuild build = some_build();

	build.value.size = 0;
	return body_of(pvs_build_fields, &build);
}

/* To who has no section: nothing but this, whatever it asks. */
static void look_for_refusals(guint32 type, PvsReader body)
{
	g_autoptr(GError) error = NULL;

	g_assert_cmpuint(type, ==, PVS_MESSAGE_REFUSED);
	g_assert_true(pvs_reader_error(&body, &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_DENIED_SECTION);
}

static void look_at_vaults(guint32 type, PvsReader body)
{
	g_auto(PvsBuilt) built = {0};

	switch (type) {
	case PVS_MESSAGE_BUILT:
		g_assert_true(pvs_body_get(&body, pvs_built_fields, &built));
		/* No grant was ever given to this front. */
		g_assert_true(built.expired);
		g_assert_null(built.request);
		break;
	case PVS_MESSAGE_REFUSED:
	case PVS_MESSAGE_ALLOWED:
	case PVS_MESSAGE_CCKS_ARE:
	case PVS_MESSAGE_COUNTERS_ARE:
		break;
	default:
		g_error("the vault said %u", type);
	}
}

/* Of all that is on record, the one call that the honest front made is its client's. */
static void expect_records_of_one(const Vault *v)
{
	g_autofree char *log = NULL;
	g_auto(GStrv) pieces = NULL, all = NULL;

	g_assert_true(g_file_get_contents(v->audit, &log, NULL, NULL));
	pieces = g_strsplit(log, "\"uid\":1001,", -1);
	g_assert_cmpuint(g_strv_length(pieces), ==, 2);
	/* Attackers were refused something, whichever of them it was. */
	all = g_strsplit(log, "\"uid\":", -1);
	g_assert_cmpuint(g_strv_length(all), >, 2);
}

/* @data: the rules; where they have nothing for the attacker, it hears nothing. */
static void test_front_at_vault(Vault *v, gconstpointer data)
{
	PvsBuild builds[] = {vault_association(0), vault_association(63), vault_association(5)};
	PvsGrant grant = {.front = others_front, .until = time(NULL) + 3600};
	PvsSignedKey *keys = pvs_list_init(&grant.keys, PvsSignedKey, 1);
	PvsAddFront claim = {.front = others_front, .uid = 0};
	PvsCountersAre before, after;
	AttackerSample samples[9];
	End *honest;
	guint n = 0, ends;

	builds[1].name = NULL;
	builds[1].type = PVS_SECRET_NULL;
	builds[1].value_kind = PVS_VALUE_NONE;
	builds[1].value.size = 0;
	builds[2].value_kind = PVS_VALUE_RANDOM;
	builds[2].value.size = 0;
	v->access = data;
	vault_start_ready(v);
	vault_add_key(v, &keys[0], v->host);
	for (guint i = 0; i < G_N_ELEMENTS(builds); i++)
		samples[n++] = attacker_sample(PVS_MESSAGE_BUILD, pvs_build_fields, &builds[i]);
	samples[0].craft = craft_build;
	samples[n] = attacker_sample(PVS_MESSAGE_JUDGE, pvs_build_fields, &builds[2]);
	samples[n++].craft = craft_judge;
	samples[n++] = attacker_sample(PVS_MESSAGE_CCKS, NULL, NULL);
	samples[n++] = attacker_sample(PVS_MESSAGE_COUNTERS, NULL, NULL);
	/* What others may say: that I have a grant, that I am somebody else. */
	samples[n++] = attacker_sample(PVS_MESSAGE_GRANT, pvs_grant_fields, &grant);
	samples[n++] = attacker_sample(PVS_MESSAGE_ADD_FRONT, pvs_add_front_fields, &claim);
	samples[n++] = attacker_sample(PVS_MESSAGE_BUILD, pvs_build_fields, &builds[0]);

	honest = vault_add_front(v, others_front);
	vault_sync_monitor(v);
	for (guint slot = 0; slot < PVS_GRANTS_MAX; slot++)
		vault_grant(v, others_front, slot, 1);
	before = vault_counters(honest);
	ends = attack(v->monitor, data ? attacker_fewer : attacker_messages, samples, n,
		      data ? look_for_refusals : look_at_vaults);
	/* The vault is the same, nothing stayed in its memory, and the honest front's work goes on.
	 */
	vault_sync_monitor(v);
	g_assert_cmpuint(v->monitor->accused, >, 0);
	g_assert_cmpuint(v->monitor->accused, <=, ends);
	g_assert_cmpuint(v->monitor->last_accused, >=, 100);
	after = vault_counters(honest);
	g_assert_cmpuint(after.locked_used, ==, before.locked_used);
	g_assert_cmpuint(after.built, ==, before.built);
	g_assert_false(vault_is_expired(honest, 0));
	expect_records_of_one(v);
	for (guint i = 0; i < n; i++)
		g_bytes_unref(samples[i].body);
	pvs_grant_clear(&grant);
	vault_end_free(honest);
}

/* ---- a hostile front at trust ---- */

static GBytes *genuine_request, *genuine_certificate; /* of who signed its user data */
static guint checked_now;

/* What holds are the user data that were signed, or the request has none. */
static void look_at_checked(PvsReader *body)
{
	g_auto(PvsChecked) checked = {0};
	const PvsRequestHead *head = g_bytes_get_data(genuine_request, NULL);

	g_assert_true(pvs_body_get(body, pvs_checked_fields, &checked));
	if (checked.type == PVS_USER_DATA_EC_SECP521R1) {
		g_assert_cmpuint(g_bytes_get_size(checked.user_data), ==, 256);
		g_assert_nonnull(memmem(head, g_bytes_get_size(genuine_request),
					g_bytes_get_data(checked.user_data, NULL), 256));
		checked_now++;
	} else {
		g_assert_cmpuint(checked.type, <=, PVS_USER_DATA_UNSIGNED);
	}
}

static void look_at_trusts(guint32 type, PvsReader body)
{
	g_auto(PvsVerified) verified = {0};

	switch (type) {
	case PVS_MESSAGE_VERIFIED:
		g_assert_true(pvs_body_get(&body, pvs_verified_fields, &verified));
		g_assert_cmpuint(verified.keys.n, >=, 1);
		break;
	case PVS_MESSAGE_CHECKED:
		look_at_checked(&body);
		break;
	case PVS_MESSAGE_EXAMINED:
	case PVS_MESSAGE_REFUSED:
	case PVS_MESSAGE_STORE_IS:
		break;
	default:
		g_error("trust said %u", type);
	}
}

/* The to-be-signed part of a certificate, as it stands in it. */
static GBytes *tbs_of(const X509 *cert)
{
	guint8 *der = NULL;
	int size = i2d_re_X509_tbs((X509 *)cert, &der);
	GBytes *bytes = g_bytes_new(der, (gsize)size);

	g_assert_cmpint(size, >, 0);
	OPENSSL_free(der);
	return bytes;
}

static GBytes *genuine_document;

/* That, or what differs from it by a bit. */
static GBytes *some_like(GBytes *genuine)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(genuine, &size);
	guint8 *copy;

	if (attacker_roll(3) == 0)
		return g_bytes_ref(genuine);
	copy = g_memdup2(data, size);
	copy[attacker_roll((guint)size)] ^= (guint8)(1 << attacker_roll(8));
	return g_bytes_new_take(copy, size);
}

static GBytes *some_document(void)
{
	return some_like(genuine_document);
}

static GBytes *craft_verify(void)
{
	const guint n = 1 + attacker_roll(3);
	g_auto(PvsVerify)
		body = {.slot = attacker_roll(PVS_GRANTS_MAX), .pid = g_rand_int(attacker_dice)};
	PvsHostKey *keys = pvs_list_init(&body.host_keys, PvsHostKey, n);

	for (guint i = 0; i < body.host_keys.n; i++)
		keys[i].document = some_document();
	body.no_verify = (guint8)(attacker_roll(4) == 0);
	return body_of(pvs_verify_fields, &body);
}

static GBytes *craft_examine(void)
{
	g_auto(PvsExamine) body = {.host_key = {.document = some_document()}};

	return body_of(pvs_examine_fields, &body);
}

static GBytes *craft_check(void)
{
	g_auto(PvsCheck) body = {
		.request = some_like(genuine_request),
		.certificate = attacker_roll(6) ? some_like(genuine_certificate) : NULL,
	};

	return body_of(pvs_check_fields, &body);
}

/* A request with user data that somebody signed, and his certificate. */
static void make_request(void)
{
	const PlainRequest what = {.user_data = PVS_USER_DATA_EC_SECP521R1,
				   .keyslots = 1,
				   .secret_type = PVS_SECRET_ASSOCIATION,
				   .secret_length = 32};
	GByteArray *request = plain_request(&what);
	EVP_PKEY *key = plain_key("EC", 521, "P-521");

	plain_request_sign(request, key, 0);
	genuine_certificate = plain_certificate(key, FALSE);
	genuine_request = g_byte_array_free_to_bytes(request);
	checked_now = 0;
	EVP_PKEY_free(key);
}

static void forget_request(void)
{
	g_clear_pointer(&genuine_request, g_bytes_unref);
	g_clear_pointer(&genuine_certificate, g_bytes_unref);
}

static void test_front_at_trust(gconstpointer data)
{
	const gboolean stranger = GPOINTER_TO_INT(data) == STRANGER;
	PvsPki *pki = pvs_pki_new();
	EVP_PKEY *key = pvs_pki_ec("P-521");
	X509 *host = pvs_pki_host(pki, key);
	g_auto(PvsVerify) verify = {.slot = 7};
	g_auto(PvsExamine) examine = {0};
	PvsHostKey *keys = pvs_list_init(&verify.host_keys, PvsHostKey, 2);
	PvsBlob *certs = pvs_list_init(&verify.certs, PvsBlob, 1);
	PvsBlob *crls = pvs_list_init(&verify.crls, PvsBlob, 1);
	PvsAddFront claim = {.front = others_front, .uid = 0};
	PvsCheck check;
	AttackerSample samples[8];
	Trust t = {.loose = GPOINTER_TO_INT(data) == LOOSE};
	guint n = 0, ends;

	keys[0].document = pvs_pki_der(host);
	keys[1].document = pvs_pki_pem(host);
	certs[0].bytes = pvs_pki_der(pki->inter);
	crls[0].bytes = pvs_pki_crl_der(pki->signing_crl);
	examine.host_key.document = pvs_pki_der(host);
	t.genuine_tbs = tbs_of(host);
	make_request();
	check = (PvsCheck){genuine_request, genuine_certificate};
	trust_start(&t, pki, stranger ? HONEST_ALONE : t.loose ? RULE_ALL : RULE_VERIFIED);
	genuine_document = g_bytes_ref(keys[0].document);
	samples[n++] = attacker_sample(PVS_MESSAGE_VERIFY, pvs_verify_fields, &verify);
	samples[n] = attacker_sample(PVS_MESSAGE_VERIFY, pvs_verify_fields, &verify);
	samples[n++].craft = craft_verify;
	samples[n] = attacker_sample(PVS_MESSAGE_EXAMINE, pvs_examine_fields, &examine);
	samples[n++].craft = craft_examine;
	g_clear_pointer(&examine.host_key.document, g_bytes_unref);
	examine.host_key.name = g_strdup("../host");
	samples[n++] = attacker_sample(PVS_MESSAGE_EXAMINE, pvs_examine_fields, &examine);
	samples[n] = attacker_sample(PVS_MESSAGE_CHECK, pvs_check_fields, &check);
	samples[n++].craft = craft_check;
	samples[n++] = attacker_sample(PVS_MESSAGE_STORE, NULL, NULL);
	samples[n++] = attacker_sample(PVS_MESSAGE_ADD_FRONT, pvs_add_front_fields, &claim);
	samples[n++] = attacker_sample(PVS_MESSAGE_LINK, NULL, NULL);

	ends = attack(t.monitor,
		      GPOINTER_TO_INT(data) == ANYBODY ? attacker_messages : attacker_fewer,
		      samples, n, stranger ? look_for_refusals : look_at_trusts);
	g_test_message("%u grants, %u checked", t.grants, checked_now);
	/* Some changes hit nothing that matters: so the attacker does reach what it attacks. */
	g_assert_cmpint(t.grants > 0, ==, !stranger);
	g_assert_cmpint(checked_now > 0, ==, !stranger);
	g_assert_cmpint(t.unverified > 0, ==, t.loose);
	vault_say(t.monitor, PVS_MESSAGE_PING, 5, NULL, NULL, -1);
	g_assert_cmpuint(vault_hear(t.monitor, PVS_MESSAGE_PONG, NULL, NULL), ==, 5);
	g_assert_cmpuint(t.monitor->served, ==, 1);
	g_assert_cmpuint(t.monitor->accused, >, 0);
	g_assert_cmpuint(t.monitor->accused, <=, ends);
	g_assert_cmpuint(t.monitor->last_accused, >=, 100);
	trust_end(&t);
	for (guint i = 0; i < n; i++)
		g_bytes_unref(samples[i].body);
	g_clear_pointer(&t.genuine_tbs, g_bytes_unref);
	g_clear_pointer(&genuine_document, g_bytes_unref);
	forget_request();
	X509_free(host);
	EVP_PKEY_free(key);
	pvs_pki_free(pki);
}

/* Whatever a front asks, its identity's rules are asked: each of these may ask one thing of its
 * own, the last nothing at all. */
static void test_rules_at_trust(void)
{
	PvsPki *pki = pvs_pki_new();
	EVP_PKEY *key = pvs_pki_ec("P-521");
	X509 *host = pvs_pki_host(pki, key);
	g_auto(PvsVerify) verify = {.slot = 7};
	PvsHostKey *keys = pvs_list_init(&verify.host_keys, PvsHostKey, 1);
	PvsExamine examine;
	PvsCheck check;
	g_auto(PvsVerified) verified = {0};
	g_auto(PvsExamined) examined = {0};
	g_auto(PvsChecked) checked = {0};
	g_auto(PvsStoreIs) store = {{0}, {0}};
	const struct {
		guint who; /* number of the front that may ask it; 0: any that has a section */
		PvsMessageType question;
		const PvsField *fields;
		gconstpointer body;
		PvsMessageType answer;
		const PvsField *answer_fields;
		gpointer said;
	} rows[] = {
		{101, PVS_MESSAGE_VERIFY, pvs_verify_fields, &verify, PVS_MESSAGE_VERIFIED,
		 pvs_verified_fields, &verified},
		{102, PVS_MESSAGE_EXAMINE, pvs_examine_fields, &examine, PVS_MESSAGE_EXAMINED,
		 pvs_examined_fields, &examined},
		{103, PVS_MESSAGE_CHECK, pvs_check_fields, &check, PVS_MESSAGE_CHECKED,
		 pvs_checked_fields, &checked},
		{0, PVS_MESSAGE_STORE, NULL, NULL, PVS_MESSAGE_STORE_IS, pvs_store_is_fields,
		 &store},
	};
	Trust t = {.loose = FALSE};

	make_request();
	keys[0].document = pvs_pki_der(host);
	examine = (PvsExamine){.host_key = keys[0]};
	check = (PvsCheck){genuine_request, genuine_certificate};
	t.genuine_tbs = tbs_of(host);
	trust_start(&t, pki,
		    "Users=1101\nMethods=create_meta\n\n"
		    "Users=1102\nMethods=verify_host_key\n\n"
		    "Users=1103\nMethods=verify_request\n");
	for (guint who = 101; who <= 104; who++) {
		End *front =
			vault_end_new_to(add_front(t.monitor, who), PVS_ROLE_FRONT, PVS_ROLE_TRUST);

		for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
			gboolean may = rows[i].who ? rows[i].who == who : who < 104;

			g_test_message("front %u, question %u", who, i);
			vault_say(front, rows[i].question, i, rows[i].fields, rows[i].body, -1);
			if (may)
				vault_hear(front, rows[i].answer, rows[i].answer_fields,
					   rows[i].said);
			else
				vault_hear_refused(front, i,
						   who < 104 ? PVS_ERROR_DENIED_METHOD
							     : PVS_ERROR_DENIED_SECTION,
						   NULL, NULL);
			pvs_store_is_clear(&store);
		}
		vault_end_free(front);
	}
	g_assert_cmpuint(t.grants, ==, 1);
	trust_end(&t);
	g_clear_pointer(&t.genuine_tbs, g_bytes_unref);
	forget_request();
	X509_free(host);
	EVP_PKEY_free(key);
	pvs_pki_free(pki);
}

/* Documents that are genuine and of no sane size make a grant that no message holds: refused, and
 * on record like any other. */
static void test_too_large_a_grant(void)
{
	g_autofree char *zeros = g_strnfill(2 * 150000, '0');
	g_autofree char *large = g_strconcat("2.999.1=DER:0483030000", zeros, NULL);
	const char *const extensions[] = {large, NULL};
	PvsPki *pki = pvs_pki_new();
	EVP_PKEY *key = pvs_pki_ec("P-521");
	PvsPkiCert spec = pvs_pki_host_spec(pki, key);
	g_auto(PvsVerify) verify = {.slot = 7, .pid = 4711};
	PvsHostKey *keys = pvs_list_init(&verify.host_keys, PvsHostKey, 20);
	X509 *host;
	Trust t = {.loose = FALSE};
	End *front;
	int fd;

	spec.extensions = extensions;
	host = pvs_pki_cert(&spec);
	t.large = pvs_pki_der(host);
	t.genuine_tbs = tbs_of(host);
	trust_start(&t, pki, RULE_ALL);
	fd = raw_front(t.monitor, 100);
	front = vault_end_new_to(fd, PVS_ROLE_FRONT, PVS_ROLE_TRUST);
	for (guint n = 1; n <= 20; n += 19) {
		g_auto(PvsVerified) verified = {0};

		for (guint i = 0; i < n; i++)
			if (!keys[i].name)
				keys[i].name = g_strdup("large");
		verify.host_keys.n = n;
		vault_say(front, PVS_MESSAGE_VERIFY, n, pvs_verify_fields, &verify, -1);
		if (n == 1)
			vault_hear(front, PVS_MESSAGE_VERIFIED, pvs_verified_fields, &verified);
		else
			vault_hear_refused(front, n, PVS_ERROR_PARAM_HOST_KEYS, "/host_keys", NULL);
		g_assert_cmpuint(t.grants, ==, 1);
		g_assert_cmpuint(t.records, ==, n == 20);
	}
	g_assert_cmpuint(t.last.error, ==, PVS_ERROR_PARAM_HOST_KEYS);
	g_assert_cmpuint(t.last.pid, ==, 4711);
	g_assert_cmpuint(t.last_documents, ==, 20);
	vault_end_free(front);
	trust_end(&t);
	g_clear_pointer(&t.large, g_bytes_unref);
	g_clear_pointer(&t.genuine_tbs, g_bytes_unref);
	X509_free(host);
	EVP_PKEY_free(key);
	pvs_pki_free(pki);
}

int main(int argc, char **argv)
{
	int status;

	if (argc == 2 && strcmp(argv[1], "--vault") == 0)
		return pvs_role_main(&pvs_role_vault);
	if (argc == 2 && strcmp(argv[1], "--trust") == 0)
		return pvs_role_main(&pvs_role_trust);
	g_test_init(&argc, &argv, NULL);
	test_arena_init();
	attacker_init();
	VAULT_TEST("/hostile/front-at-vault", NULL, test_front_at_vault);
	VAULT_TEST("/hostile/stranger-at-vault", HONEST_ALONE, test_front_at_vault);
	g_test_add_data_func("/hostile/front-at-trust", GINT_TO_POINTER(ANYBODY),
			     test_front_at_trust);
	g_test_add_data_func("/hostile/stranger-at-trust", GINT_TO_POINTER(STRANGER),
			     test_front_at_trust);
	g_test_add_data_func("/hostile/loose-front-at-trust", GINT_TO_POINTER(LOOSE),
			     test_front_at_trust);
	g_test_add_func("/hostile/too-large-a-grant", test_too_large_a_grant);
	g_test_add_func("/hostile/rules-at-trust", test_rules_at_trust);
	status = g_test_run();
	attacker_end();
	return status;
}
