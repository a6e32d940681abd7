/* SPDX-License-Identifier: MIT */
/*
 * test-hostile-trust.c - the vault with a trust that an attacker has taken over
 *
 * Grants and records of every kind, right in form or not. No grant stands for a key that no
 * installed key has signed; what comes out is for the host key that was signed, and nothing in the
 * record is anybody's but the front's that it names. Where the form is wrong the vault ends, as it
 * should, and in good order.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "protocol/audit.h"
#include "protocol/hostkey.h"
#include "tests/unit/attacker.h"
#include "tests/unit/document.h"
#include "tests/unit/rules.h"
#include "tests/unit/vault-process.h"

static const guint8 others_front = 1;

/* ---- grants ---- */

/* Each grant that was refused left its record, and all of them a line or a few of the log. */
static void expect_grants_on_record(const Vault *v, guint n)
{
	g_autofree char *audit = NULL, *log = vault_log_of(v);
	g_auto(GStrv) records = NULL, lines = g_strsplit(log, "does not agree to", -1);

	g_assert_true(g_file_get_contents(v->audit, &audit, NULL, NULL));
	records = g_strsplit(audit, "\"event\":\"grant\",\"uid\":1001,", -1);
	g_assert_cmpuint(g_strv_length(records) - 1, ==, n);
	g_assert_cmpuint(g_strv_length(lines) - 1, >=, 1);
	g_assert_cmpuint(g_strv_length(lines) - 1, <=, 1 + n / 100);
}

/* Grants of a right form with wrong keys in them: whatever trust makes up, what it cannot make is a
 * signature of an installed key. */
static void test_trust_at_vault(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	g_auto(PvsGrant) good = {.front = others_front, .until = time(NULL) + 3600};
	PvsSignedKey *genuine = pvs_list_init(&good.keys, PvsSignedKey, 1);
	End *front;

	vault_start_ready(v);
	front = vault_add_front(v, others_front);
	vault_sync_monitor(v);
	vault_add_key(v, &genuine[0], v->host);
	/* For each the vault verifies a signature. */
	for (guint i = 0; i < attacker_fewer; i++) {
		g_auto(PvsGrant) body = {.front = others_front, .until = good.until};
		PvsSignedKey *key = pvs_list_init(&body.keys, PvsSignedKey, 1);
		GBytes **fields[] = {&key->tbs, &key->signature};
		GBytes *const sources[] = {genuine[0].tbs, genuine[0].signature};
		guint changed = attacker_roll(2);
		PvsGranted granted = {0};

		body.slot = attacker_roll(PVS_GRANTS_MAX);
		key->algorithm =
			attacker_roll(10) ? genuine[0].algorithm : (guint8)attacker_roll(8);
		for (guint f = 0; f < G_N_ELEMENTS(fields); f++) {
			gsize size = g_bytes_get_size(sources[f]);
			guint8 *copy = g_memdup2(g_bytes_get_data(sources[f], NULL), size);

			if (f == changed) {
				copy[attacker_roll((guint)size)] ^= (guint8)(1 << attacker_roll(8));
				if (attacker_roll(4) == 0)
					size = 1 + attacker_roll((guint)size);
			}
			*fields[f] = g_bytes_new_take(copy, size);
		}
		vault_say(v->trust, PVS_MESSAGE_GRANT, i, pvs_grant_fields, &body, -1);
		g_assert_cmpuint(
			vault_hear(v->trust, PVS_MESSAGE_GRANTED, pvs_granted_fields, &granted), ==,
			i);
		g_assert_cmpint(granted.refused, ==, 1);
	}
	for (guint slot = 0; slot < PVS_GRANTS_MAX; slot++)
		g_assert_true(vault_is_expired(front, slot));
	expect_grants_on_record(v, attacker_fewer);
	vault_grant(v, others_front, 0, 1);
	g_assert_false(vault_is_expired(front, 0));
	vault_end_free(front);
}

/* Signed, and well, by a key that is not installed, with all else as it should be. */
static void test_other_signer(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	EVP_PKEY *installed = v->signer;
	End *front;

	vault_start_ready(v);
	front = vault_add_front(v, others_front);
	vault_sync_monitor(v);
	for (guint slot = 0; slot < PVS_GRANTS_MAX; slot++) {
		g_auto(PvsGrant)
			body = {.front = others_front, .slot = slot, .until = time(NULL) + 3600};
		guint n = 1 + slot % 4;
		PvsSignedKey *keys = pvs_list_init(&body.keys, PvsSignedKey, n);
		PvsGranted granted = {0};

		/* One of them is enough to spoil it. */
		for (guint i = 0; i < n; i++) {
			if (i == slot % n)
				v->signer = EVP_EC_gen("P-521");
			vault_add_key(v, &keys[i], v->host);
			if (i == slot % n)
				EVP_PKEY_free(v->signer);
			v->signer = installed;
		}
		vault_say(v->trust, PVS_MESSAGE_GRANT, slot, pvs_grant_fields, &body, -1);
		vault_hear(v->trust, PVS_MESSAGE_GRANTED, pvs_granted_fields, &granted);
		g_assert_cmpint(granted.refused, ==, 1);
		g_assert_cmpint(granted.error, ==, PVS_ERROR_HOST_KEY_SIGNATURE);
		g_assert_true(vault_is_expired(front, slot));
	}
	vault_end_free(front);
}

/* ---- messages of every kind ---- */

static GBytes *genuine_tbs, *genuine_signature;
static GBytes *own_point; /* of a key whose private half the attacker has */
static guint granted_now;

static guint32 some_front(void)
{
	return attacker_roll(4) ? others_front : attacker_roll(2) ? g_rand_int(attacker_dice) : 2;
}

static GBytes *body_of(const PvsField *fields, gconstpointer body)
{
	g_auto(PvsWriter) w = pvs_writer();

	pvs_body_put(&w, fields, body);
	return g_bytes_new(w.data, w.size);
}

static GBytes *craft_grant(void)
{
	const guint n = 1 + attacker_roll(3);
	g_auto(PvsGrant) body = {
		.front = some_front(),
		.slot = attacker_roll(PVS_GRANTS_MAX),
		.until = attacker_roll(4) ? time(NULL) + 3600
					  : (gint64)g_rand_int(attacker_dice) * G_MAXINT32,
	};
	PvsSignedKey *keys = pvs_list_init(&body.keys, PvsSignedKey, n);

	/* Keys of its own, which it says were asked for so. */
	body.unverified = (guint8)(attacker_roll(4) == 0);
	for (guint i = 0; i < body.keys.n; i++) {
		if (body.unverified && attacker_roll(20)) {
			keys[i].point = g_bytes_ref(own_point);
			continue;
		}
		/* The parts of one document and of another. */
		keys[i].tbs = g_bytes_ref(attacker_roll(6) ? genuine_tbs : genuine_signature);
		keys[i].signature = g_bytes_ref(attacker_roll(6) ? genuine_signature : genuine_tbs);
		keys[i].algorithm = (guint8)(attacker_roll(6) ? PVS_SIGNATURE_ECDSA_SHA512
							      : attacker_roll(256));
		if (g_bytes_get_size(keys[i].signature) > 2048) {
			g_bytes_unref(keys[i].signature);
			keys[i].signature = g_bytes_ref(genuine_signature);
		}
	}
	return body_of(pvs_grant_fields, &body);
}

/* Mostly a name; for anything else the message is refused whole. */
static char *some_name(void)
{
	static const char *const names[] = {"host", "HKD-3931.2", "a b",     "../x",
					    "\n",   "-",	  "\xc3\xa4"};

	return g_strdup(names[attacker_roll(attacker_roll(20) ? 2 : G_N_ELEMENTS(names))]);
}

/* Mostly one of the first four: for the others the message is refused whole. */
static char *some_word(void)
{
	static const char *const words[] = {"name",    "a\n{\"n\":1}", "\",\"uid\":0,\"x\":\"",
					    "\033[2J", "\xff\xfe",     ""};

	return g_strdup(words[attacker_roll(attacker_roll(20) ? 4 : G_N_ELEMENTS(words))]);
}

static GBytes *craft_record(void)
{
	const guint n = attacker_roll(attacker_roll(8) ? 4 : PVS_HOST_KEYS_MAX);
	g_auto(PvsRecord) body = {
		.front = some_front(),
		.examined = (guint8)attacker_roll(2),
		.error = (guint16)(attacker_roll(2) ? PVS_ERROR_LAST_
						    : attacker_roll(PVS_ERROR_CONFIG)),
		.param = attacker_roll(2) ? some_word() : NULL,
		.pid = g_rand_int(attacker_dice),
	};
	PvsRecordedKey *keys = pvs_list_init(&body.documents, PvsRecordedKey, n);

	for (guint i = 0; i < body.documents.n; i++) {
		memset(keys[i].digest, (int)attacker_roll(256), sizeof keys[i].digest);
		if (attacker_roll(3) == 0)
			keys[i].name = some_name();
	}
	return body_of(pvs_record_fields, &body);
}

/* What makes the longest line: as many names as there may be, each of 64 times @letter. */
static GBytes *longest_record(char letter)
{
	g_auto(PvsRecord) body = {
		.front = others_front,
		.error = PVS_ERROR_PARAM_HOST_KEYS,
		.param = g_strnfill(64, letter),
		.pid = G_MAXUINT32,
	};
	PvsRecordedKey *keys = pvs_list_init(&body.documents, PvsRecordedKey, PVS_HOST_KEYS_MAX);

	for (guint i = 0; i < body.documents.n; i++)
		keys[i].name = g_strnfill(PVS_KEY_NAME_MAX, letter);
	return body_of(pvs_record_fields, &body);
}

static GBytes *craft_longest_record(void)
{
	return longest_record(attacker_roll(8) ? 'k' : '\x01');
}

static void look(guint32 type, PvsReader body)
{
	PvsGranted granted = {0};
	PvsRecorded recorded = {0};

	if (type == PVS_MESSAGE_GRANTED) {
		g_assert_true(pvs_body_get(&body, pvs_granted_fields, &granted));
		granted_now += !granted.refused;
		return;
	}
	g_assert_cmpuint(type, ==, PVS_MESSAGE_RECORDED);
	g_assert_true(pvs_body_get(&body, pvs_recorded_fields, &recorded));
}

/* Starts the vault with the attacker's end of trust's channel; waits until it is ready. */
static int start(Vault *v, End **front)
{
	int mine, its = vault_channel_pair(&mine);

	vault_start(v);
	vault_say(v->monitor, PVS_MESSAGE_LINK, 0, NULL, NULL, its);
	close(its);
	fcntl(mine, F_SETFL, fcntl(mine, F_GETFL) & ~O_NONBLOCK);
	vault_hear(v->monitor, PVS_MESSAGE_READY, NULL, NULL);
	vault_give_log(v);
	*front = vault_add_front(v, others_front);
	vault_sync_monitor(v);
	return mine;
}

/* Whatever was granted: what is built is for the key that was signed, and for no other. */
static void expect_genuine(Vault *v, End *front, guint slot)
{
	g_auto(PvsBuilt) built = {0};
	PvsBuild build = vault_association(slot);
	Opened opened;

	vault_ask(front, 9, &build);
	vault_hear(front, PVS_MESSAGE_BUILT, pvs_built_fields, &built);
	g_assert_true(built.expired == (built.request == NULL));
	if (built.request)
		g_assert_true(test_open_request(built.request, v->host, &opened));
}

/* Every line is one, follows the one before, and is of a front that there is. */
static void check_record(const Vault *v)
{
	PvsAuditChain chain = {0};
	g_autofree char *log = NULL;
	g_auto(GStrv) lines = NULL;
	guint n = 0;

	g_assert_true(g_file_get_contents(v->audit, &log, NULL, NULL));
	lines = g_strsplit(log, "\n", -1);
	for (; lines[n + 1]; n++) {
		const char *uid = strstr(lines[n], "\"uid\":");

		g_assert_cmpint(pvs_audit_check(&chain, lines[n], strlen(lines[n])), ==,
				PVS_AUDIT_GOOD);
		g_assert_true(uid ? g_str_has_prefix(uid, "\"uid\":1001,")
				  : strstr(lines[n], "\"event\":\"opened\"") != NULL);
	}
	g_assert_cmpstr(lines[n], ==, "");
	g_assert_cmpuint(n, >, 2);
}

static void test_messages(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	g_auto(PvsGrant) grant = {.front = others_front, .until = time(NULL) + 3600};
	PvsSignedKey *key = pvs_list_init(&grant.keys, PvsSignedKey, 1);
	PvsRecord record = {.front = others_front, .error = PVS_ERROR_LAST_};
	PvsAddFront claim = {.front = 2, .uid = 0};
	AttackerSample samples[6];
	/* Every other one is the end of the vault, and to start that anew takes much longer than a
	 * message. */
	const guint rounds = attacker_messages / 50;
	guint n = 0, ends = 0, answers = 0;
	End *front = NULL;
	guint8 point[PVS_POINT_SIZE];
	EVP_PKEY *own;
	int fd = -1;

	vault_add_key(v, key, v->host);
	genuine_tbs = key->tbs;
	genuine_signature = key->signature;
	granted_now = 0;
	own = test_new_key(point);
	own_point = g_bytes_new(point, sizeof point);
	v->access = RULE_VERIFIED;
	samples[n] = attacker_sample(PVS_MESSAGE_GRANT, pvs_grant_fields, &grant);
	samples[n++].craft = craft_grant;
	samples[n] = attacker_sample(PVS_MESSAGE_RECORD, pvs_record_fields, &record);
	samples[n++].craft = craft_record;
	samples[n] = attacker_sample(PVS_MESSAGE_RECORD, pvs_record_fields, &record);
	samples[n++].craft = craft_longest_record;
	samples[n++] = attacker_sample(PVS_MESSAGE_ADD_FRONT, pvs_add_front_fields, &claim);
	samples[n] = samples[0];
	g_bytes_ref(samples[n++].body);
	samples[n] = samples[1];
	g_bytes_ref(samples[n++].body);

	for (guint i = 0; i < rounds; i++) {
		g_autoptr(GByteArray) out = g_byte_array_new();
		AttackerShape shape = attacker_make(out, samples, n);
		gboolean lives;

		if (fd < 0)
			fd = start(v, &front);
		lives = attacker_send(fd, out, attacker_roll(50) == 0 ? fd : -1);
		if (lives && shape == ATTACKER_CUT)
			shutdown(fd, SHUT_WR);
		lives = lives && attacker_hear(fd, look);
		answers += lives;
		if (lives && shape == ATTACKER_WHOLE) {
			expect_genuine(v, front, attacker_roll(PVS_GRANTS_MAX));
			continue;
		}
		ends++;
		close(fd);
		fd = -1;
		/* In good order: not by a signal. */
		g_assert_true(vault_wait_end(v) % 70 == 0);
		g_clear_pointer(&front, vault_end_free);
		g_clear_pointer(&v->monitor, vault_end_free);
	}
	g_test_message("%u answers, %u ends, %u grants", answers, ends, granted_now);
	g_assert_cmpuint(answers, >, 0);
	g_assert_cmpuint(ends, >, 0);
	if (fd >= 0)
		close(fd);
	if (v->pid)
		g_assert_true(vault_wait_end(v) % 70 == 0);
	g_clear_pointer(&front, vault_end_free);
	check_record(v);
	g_clear_pointer(&own_point, g_bytes_unref);
	EVP_PKEY_free(own);
	for (guint i = 0; i < n; i++)
		g_bytes_unref(samples[i].body);
}

static void send_record(int fd, GBytes *body)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_auto(PvsWriter) w = pvs_writer();

	pvs_writer_u32(&w, PVS_MESSAGE_RECORD);
	pvs_writer_u32(&w, (guint32)g_bytes_get_size(body));
	pvs_writer_u64(&w, 1);
	g_byte_array_append(out, w.data, (guint)w.size);
	g_byte_array_append(out, g_bytes_get_data(body, NULL), (guint)g_bytes_get_size(body));
	g_assert_true(attacker_send(fd, out, -1));
}

/* No line that breaks the log for those who read it: names that are none end the vault before
 * anything is written, and of those that are the longest list fits. */
static void test_longest_record(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GBytes) names = longest_record('k'), controls = longest_record('\x01');
	g_autofree char *log = NULL;
	End *front;
	int fd = start(v, &front);

	send_record(fd, names);
	g_assert_true(attacker_hear(fd, look));
	send_record(fd, names);
	g_assert_true(attacker_hear(fd, look));
	send_record(fd, controls);
	g_assert_false(attacker_hear(fd, look));
	close(fd);
	g_assert_cmpint(vault_wait_end(v), ==, 70);
	vault_end_free(front);
	check_record(v);
	g_assert_true(g_file_get_contents(v->audit, &log, NULL, NULL));
	g_assert_cmpuint(strlen(log), >, 2 * PVS_HOST_KEYS_MAX * PVS_KEY_NAME_MAX);
	g_assert_null(strstr(log, "\\u0001"));
}

int main(int argc, char **argv)
{
	int status;

	if (argc == 2 && strcmp(argv[1], "--vault") == 0)
		return pvs_role_main(&pvs_role_vault);
	g_test_init(&argc, &argv, NULL);
	test_arena_init();
	attacker_init();
	VAULT_TEST("/hostile-trust/grants", NULL, test_trust_at_vault);
	VAULT_TEST("/hostile-trust/other-signer", NULL, test_other_signer);
	VAULT_TEST("/hostile-trust/messages", NULL, test_messages);
	VAULT_TEST("/hostile-trust/longest-record", NULL, test_longest_record);
	status = g_test_run();
	attacker_end();
	return status;
}
