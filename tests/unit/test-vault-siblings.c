/* SPDX-License-Identifier: MIT */
/*
 * test-vault-siblings.c - the vault among siblings that ask much, go away, or lie
 */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "daemon/vault/prepare.h"
#include "protocol/secret-type.h"
#include "tests/unit/vault-process.h"

/* ---- many calls ---- */

static void test_flood(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	enum { N = 300 };
	PvsBuild build = vault_association(0);
	gboolean answered[N] = {FALSE};
	g_auto(PvsBuilt) modest_built = {0};
	End *greedy, *modest;
	guint late = 0;

	vault_start_ready(v);
	greedy = vault_add_front(v, 1);
	modest = vault_add_front(v, 2);
	vault_sync_monitor(v);
	vault_grant(v, 1, 0, 5);
	vault_grant(v, 2, 0, 1);
	for (guint i = 0; i < N; i++)
		vault_ask(greedy, i, &build);
	/* One that comes later does not wait for all of these. */
	for (guint i = 0; i < 5; i++) {
		vault_ask(modest, 1000, &build);
		g_assert_cmpuint(
			vault_hear(modest, PVS_MESSAGE_BUILT, pvs_built_fields, &modest_built), ==,
			1000);
		pvs_built_clear(&modest_built);
	}
	late = g_queue_get_length(&greedy->got);
	g_assert_cmpuint(late, <, N / 2);
	for (guint i = 0; i < N; i++) {
		g_auto(PvsBuilt) built = {0};
		guint64 call = vault_hear(greedy, PVS_MESSAGE_BUILT, pvs_built_fields, &built);

		g_assert_cmpuint(call, <, N);
		g_assert_false(answered[call]);
		answered[call] = TRUE;
	}
	g_assert_true(g_queue_is_empty(&greedy->got));
	g_assert_cmpuint(vault_counters(modest).built, ==, N + 5);
	vault_end_free(greedy);
	vault_end_free(modest);
}

/* Many users with the largest secrets there are: they take their share of the arena, and each gets
 * his answers. */
static void test_large_secrets(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	enum { FRONTS = 6, EACH = 16 };
	static guint8 value[PVS_PLAINTEXT_MAX];
	PvsBuild build = vault_association(0);
	End *fronts[FRONTS];
	PvsCountersAre before, after;

	build.type = PVS_SECRET_PLAINTEXT;
	build.value = (PvsSpan){value, sizeof value};
	vault_start_ready(v);
	for (guint i = 0; i < FRONTS; i++)
		fronts[i] = vault_add_front(v, i + 1);
	vault_sync_monitor(v);
	for (guint i = 0; i < FRONTS; i++)
		vault_grant(v, i + 1, 0, 1);
	before = vault_counters(fronts[0]);
	for (guint n = 0; n < EACH; n++)
		for (guint i = 0; i < FRONTS; i++)
			vault_ask(fronts[i], n, &build);
	for (guint i = 0; i < FRONTS; i++)
		for (guint n = 0; n < EACH; n++) {
			g_auto(PvsBuilt) built = {0};

			vault_hear(fronts[i], PVS_MESSAGE_BUILT, pvs_built_fields, &built);
			g_assert_nonnull(built.request);
		}
	after = vault_counters(fronts[0]);
	/* Secrets that wait and one more, the one message that is being read, what threads use. */
	g_assert_cmpuint(after.locked_peak, <,
			 before.locked_used + PVS_PREPARE_WAITING + (8 + 16) * 1024 +
				 after.threads * 24 * 1024);
	g_assert_cmpuint(after.locked_used, <, before.locked_used + 4096);
	for (guint i = 0; i < FRONTS; i++)
		vault_end_free(fronts[i]);
}

/* Fronts of many users, each with half of the largest BUILD there is: they take nothing of the
 * arena, so one that asks for the largest secret has it at once; and they are cut. */
static void test_halves(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	enum { N = 512, HALF = 8 * 1024 };
	static guint8 frame[PVS_FRAME_HEADER + HALF], value[PVS_PLAINTEXT_MAX];
	PvsWriter header = pvs_writer_on(frame, PVS_FRAME_HEADER);
	PvsBuild build = vault_association(0);
	g_autofree char *log = NULL;
	PvsCountersAre before, after;
	End *honest;
	int halves[N];

	build.type = PVS_SECRET_PLAINTEXT;
	build.value = (PvsSpan){value, sizeof value};
	pvs_writer_u32(&header, PVS_MESSAGE_BUILD);
	pvs_writer_u32(&header, (guint32)pvs_message_cap(PVS_MESSAGE_BUILD));
	pvs_writer_u64(&header, 1);
	vault_start_ready(v);
	honest = vault_add_front(v, 1);
	vault_sync_monitor(v);
	vault_grant(v, 1, 0, 5);
	before = vault_counters(honest);
	for (guint i = 0; i < N; i++) {
		PvsAddFront body = {.front = 10 + i, .uid = 2000 + i, .gid = 100};
		int its = vault_channel_pair(&halves[i]);

		vault_say(v->monitor, PVS_MESSAGE_ADD_FRONT, 0, pvs_add_front_fields, &body, its);
		close(its);
		/* Some send nothing behind the header that says how much will come. */
		g_assert_cmpint(send(halves[i], frame, i % 8 ? sizeof frame : PVS_FRAME_HEADER,
				     MSG_NOSIGNAL),
				>, 0);
	}
	vault_sync_monitor(v);
	for (guint i = 0; i < 5; i++) {
		g_auto(PvsBuilt) built = {0};

		vault_ask(honest, i, &build);
		g_assert_cmpuint(vault_hear(honest, PVS_MESSAGE_BUILT, pvs_built_fields, &built),
				 ==, i);
		g_assert_nonnull(built.request);
	}
	after = vault_counters(honest);
	g_assert_cmpuint(after.locked_used, <, before.locked_used + 4096);
	g_assert_cmpuint(after.locked_peak, <,
			 before.locked_peak + (8 + 16) * 1024 + after.threads * 24 * 1024);
	for (guint i = 0; i < N; i++) {
		struct pollfd wait = {.fd = halves[i]};

		g_assert_cmpint(poll(&wait, 1, 20000), ==, 1);
		g_assert_cmpint(wait.revents & POLLHUP, !=, 0);
		close(halves[i]);
	}
	g_assert_false(vault_is_expired(honest, 0));
	log = vault_log_of(v);
	g_assert_nonnull(strstr(log, "the front of uid 2000 sent what it may not send"));
	g_assert_null(strstr(log, "the front of uid 1001"));
	vault_end_free(honest);
}

/* What is over a front's share is not read: it stays in the socket, with the sender. */
static void test_held_back(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	enum { N = 200 };
	PvsAddFront body = {.front = 1, .uid = 1001, .gid = 100};
	PvsBuild build = vault_association(0);
	int mine, its, fd, unread;
	End *front;

	vault_start_ready(v);
	its = vault_channel_pair(&mine);
	fd = dup(mine);
	vault_say(v->monitor, PVS_MESSAGE_ADD_FRONT, 0, pvs_add_front_fields, &body, its);
	close(its);
	front = vault_end_new(mine, PVS_ROLE_FRONT);
	vault_sync_monitor(v);
	vault_grant(v, 1, 0, 20);
	for (guint i = 0; i < N; i++)
		vault_ask(front, i, &build);
	for (guint i = 0; i < N; i++) {
		g_auto(PvsBuilt) built = {0};

		vault_hear(front, PVS_MESSAGE_BUILT, pvs_built_fields, &built);
		g_assert_cmpint(ioctl(fd, TIOCOUTQ, &unread), ==, 0);
		/* 16 at a time are in the vault; so when ten are answered most are not read yet,
		 * and when few are left all are. */
		if (i == 10)
			g_assert_cmpint(unread, >, 0);
		if (i == N - 10)
			g_assert_cmpint(unread, ==, 0);
	}
	g_assert_cmpuint(vault_counters(front).built, ==, N);
	close(fd);
	vault_end_free(front);
}

/* A front that goes while its calls are being worked at takes nothing with it. */
static void test_gone_in_flight(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	PvsBuild build = vault_association(0);
	End *stays;
	guint32 used = 0;

	vault_start_ready(v);
	stays = vault_add_front(v, 1);
	vault_sync_monitor(v);
	vault_grant(v, 1, 0, 1);
	for (guint round = 0; round < 10; round++) {
		guint number = 100 + round;
		End *goes = vault_add_front(v, number);
		g_auto(PvsBuilt) built = {0};
		PvsCountersAre c;

		vault_sync_monitor(v);
		vault_grant(v, number, 0, 3);
		for (guint i = 0; i < 100; i++)
			vault_ask(goes, i, &build);
		vault_hear(goes, PVS_MESSAGE_BUILT, pvs_built_fields, &built);
		vault_end_free(goes);
		g_assert_false(vault_is_expired(stays, 0));
		/* Once the jobs are done the arena is as it was. */
		do
			c = vault_counters(stays);
		while (round > 2 && c.locked_used > used);
		if (round == 2) {
			g_usleep(200000);
			used = vault_counters(stays).locked_used;
		}
	}
	/* To go is not to break the rules. */
	vault_sync_monitor(v);
	g_assert_cmpuint(v->monitor->accused, ==, 0);
	vault_end_free(stays);
}

/* Answers that are not read are not kept without end. */
static void test_unread_answers(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *log = NULL;
	End *stays;
	int mine, its;
	guint sent = 0;
	PvsAddFront body = {.front = 2, .uid = 1002, .gid = 100};
	guint8 frame[PVS_FRAME_HEADER] = {0};
	PvsWriter w = pvs_writer_on(frame, sizeof frame);

	for (guint i = 0; i < 300; i++) {
		g_autofree char *name = g_strdup_printf(
			"%04u-a-name-that-makes-the-answer-long-aaaaaaaaaaaaaaaaaaaaaa", i);

		vault_put(v->keys, name, "0123456789abcdef0123456789abcdef", 32);
	}
	vault_start_ready(v);
	stays = vault_add_front(v, 1);
	its = vault_channel_pair(&mine);
	vault_say(v->monitor, PVS_MESSAGE_ADD_FRONT, 0, pvs_add_front_fields, &body, its);
	close(its);
	fcntl(mine, F_SETFL, fcntl(mine, F_GETFL) & ~O_NONBLOCK);
	pvs_writer_u32(&w, PVS_MESSAGE_CCKS);
	pvs_writer_u32(&w, 0);
	pvs_writer_u64(&w, 1);
	while (send(mine, frame, sizeof frame, MSG_NOSIGNAL) == sizeof frame)
		sent++;
	g_assert_cmpuint(sent, >, 500); /* 20 KiB each; 16 MiB are kept */
	g_assert_cmpuint(vault_counters(stays).ccks, ==, 302);
	log = vault_log_of(v);
	g_assert_nonnull(strstr(log, "uid 1002 does not read its answers"));
	vault_hear_accused(v->monitor, 1);
	g_assert_cmpuint(v->monitor->last_accused, ==, 2);
	close(mine);
	vault_end_free(stays);
}

/* ---- bad siblings ---- */

typedef struct {
	const char *what;
	void (*spoil)(PvsBuild *build);
} BadBuild;

static void without_value(PvsBuild *b, guint type, PvsValueKind kind)
{
	b->type = (guint16)type;
	b->value_kind = (guint8)kind;
	b->value.size = 0;
}

static void slot_64(PvsBuild *b)
{
	b->slot = PVS_GRANTS_MAX;
}

static void slot_huge(PvsBuild *b)
{
	b->slot = G_MAXUINT32;
}

static void type_0(PvsBuild *b)
{
	b->type = 0;
}

static void type_11(PvsBuild *b)
{
	b->type = 11;
}

static void kind_4(PvsBuild *b)
{
	b->value_kind = 4;
}

static void none_for_association(PvsBuild *b)
{
	b->value_kind = PVS_VALUE_NONE;
	b->value.size = 0;
}

static void value_for_meta(PvsBuild *b)
{
	b->type = PVS_SECRET_NULL;
	b->name = NULL;
}

static void name_for_meta(PvsBuild *b)
{
	b->type = PVS_SECRET_NULL;
	b->value_kind = PVS_VALUE_NONE;
	b->value.size = 0;
}

static void random_with_value(PvsBuild *b)
{
	b->value_kind = PVS_VALUE_RANDOM;
}

static void random_retrievable(PvsBuild *b)
{
	without_value(b, PVS_SECRET_AES_256, PVS_VALUE_RANDOM);
}

static void none_for_retrievable(PvsBuild *b)
{
	without_value(b, PVS_SECRET_AES_256, PVS_VALUE_NONE);
}

static void new_cck_for_association(PvsBuild *b)
{
	b->new_cck = (char *)"test";
}

static void update_without(PvsBuild *b)
{
	without_value(b, PVS_SECRET_UPDATE_CCK, PVS_VALUE_NONE);
	b->name = NULL;
}

static void update_with_name(PvsBuild *b)
{
	without_value(b, PVS_SECRET_UPDATE_CCK, PVS_VALUE_NONE);
	b->new_cck = (char *)"test";
}

static void use_name_for_meta(PvsBuild *b)
{
	without_value(b, PVS_SECRET_NULL, PVS_VALUE_NONE);
	b->name = NULL;
	b->use_name = 1;
}

static void two_extension_secrets(PvsBuild *b)
{
	b->extension_secret = (char *)"ext";
}

static void user_data_in_secret(PvsBuild *b)
{
	static GBytes *data;

	if (!data)
		data = g_bytes_new_static("data", 4);
	b->user_data = data;
}

static const BadBuild bad_builds[] = {
	{"slot 64", slot_64},
	{"slot 2^32-1", slot_huge},
	{"type 0", type_0},
	{"type 11", type_11},
	{"value kind 4", kind_4},
	{"no value for an association", none_for_association},
	{"a value for a meta secret", value_for_meta},
	{"a name for a meta secret", name_for_meta},
	{"random, with a value", random_with_value},
	{"a drawn AES key", random_retrievable},
	{"an AES key of nothing", none_for_retrievable},
	{"a new CCK in an association", new_cck_for_association},
	{"an update without a new CCK", update_without},
	{"an update with a name", update_with_name},
	{"a meta secret whose name is its id", use_name_for_meta},
	{"a CCK and an extension secret", two_extension_secrets},
	{"user data that are not there", user_data_in_secret},
};

static void test_bad_fronts(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *log = NULL;
	End *good, *bad;

	vault_start_ready(v);
	good = vault_add_front(v, 1);
	vault_sync_monitor(v);
	vault_grant(v, 1, 0, 1);
	for (guint i = 0; i < G_N_ELEMENTS(bad_builds); i++) {
		PvsBuild build = vault_association(0);

		g_test_message("%s", bad_builds[i].what);
		bad = vault_add_front(v, 10 + i);
		vault_sync_monitor(v);
		vault_grant(v, 10 + i, 0, 1);
		bad_builds[i].spoil(&build);
		vault_ask(bad, 1, &build);
		vault_hear_close(bad);
		g_assert_true(g_queue_is_empty(&bad->got));
		/* A taken-over front would not end for the loss of its channel. */
		vault_hear_accused(v->monitor, i + 1);
		g_assert_cmpuint(v->monitor->last_accused, ==, 10 + i);
		vault_end_free(bad);
		g_assert_false(vault_is_expired(good, 0));
	}
	/* Bytes that are no body at all. */
	{
		g_auto(PvsWriter) w = pvs_writer();

		bad = vault_add_front(v, 50);
		pvs_writer_u32(&w, 0);
		pvs_channel_send(bad->channel, PVS_MESSAGE_BUILD, 1, &w, NULL);
		vault_hear_close(bad);
		vault_end_free(bad);
	}
	/* What another role says. */
	{
		int mine, its = vault_channel_pair(&mine);
		PvsAddFront body = {.front = 51, .uid = 1051};
		PvsGrant grant_body = {.front = 1};

		vault_say(v->monitor, PVS_MESSAGE_ADD_FRONT, 0, pvs_add_front_fields, &body, its);
		close(its);
		bad = vault_end_new(mine, PVS_ROLE_TRUST);
		vault_say(bad, PVS_MESSAGE_GRANT, 1, pvs_grant_fields, &grant_body, -1);
		vault_hear_close(bad);
		vault_end_free(bad);
	}
	g_assert_false(vault_is_expired(good, 0));
	g_assert_cmpuint(vault_counters(good).refused, ==, 0);
	g_assert_cmpuint(v->monitor->accused, ==, G_N_ELEMENTS(bad_builds) + 2);
	g_assert_cmpuint(v->monitor->last_accused, ==, 51);
	log = vault_log_of(v);
	g_assert_nonnull(strstr(log, "<4>vault: the front of uid 1010 sent what it may not send"));
	vault_end_free(good);
}

/* GRANTs that make no sense end the vault: trust was taken over, or is broken. */
static void test_bad_trust(Vault *v, gconstpointer data)
{
	g_auto(PvsGrant) body = {.front = 1, .until = time(NULL) + 3600};
	guint8 point[PVS_POINT_SIZE];
	guint n = 1;
	End *front;
	PvsSignedKey *keys;

	g_assert_true(pvs_request_point(v->host, point, NULL));

	vault_start_ready(v);
	front = vault_add_front(v, 1);
	vault_sync_monitor(v);
	switch (GPOINTER_TO_UINT(data)) {
	case 0:
		body.slot = PVS_GRANTS_MAX;
		break;
	case 1:
		n = 0;
		break;
	default:
		break;
	}
	keys = pvs_list_init(&body.keys, PvsSignedKey, n);
	for (guint i = 0; i < n; i++)
		vault_add_key(v, &keys[i], v->host);
	if (GPOINTER_TO_UINT(data) == 2)
		g_clear_pointer(&keys[0].tbs, g_bytes_unref);
	if (GPOINTER_TO_UINT(data) == 3)
		g_clear_pointer(&keys[0].signature, g_bytes_unref);
	/* An unverified key is a point and nothing else, a verified one anything but that. */
	if (GPOINTER_TO_UINT(data) == 4 || GPOINTER_TO_UINT(data) == 5)
		body.unverified = 1;
	if (GPOINTER_TO_UINT(data) >= 5)
		keys[0].point = g_bytes_new(point, sizeof point);
	if (GPOINTER_TO_UINT(data) == 6) {
		g_clear_pointer(&keys[0].tbs, g_bytes_unref);
		g_clear_pointer(&keys[0].signature, g_bytes_unref);
		g_bytes_unref(keys[0].point);
		keys[0].point = g_bytes_new(point, sizeof point - 1);
		body.unverified = 1;
	}
	vault_say(v->trust, PVS_MESSAGE_GRANT, 1, pvs_grant_fields, &body, -1);
	g_assert_cmpint(vault_wait_end(v), ==, 70);
	vault_end_free(front);
}

/* The monitor is told at the first answer to a call, and not of what trust is answered, or of a
 * step on the way. */
static void test_serves(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	PvsBuild build = vault_association(0);
	End *front;

	vault_start_ready(v);
	front = vault_add_front(v, 1);
	vault_sync_monitor(v);
	vault_grant(v, 1, 0, 1);
	build.value.size = 0;
	build.value_kind = PVS_VALUE_RANDOM;
	vault_say(front, PVS_MESSAGE_JUDGE, 1, pvs_build_fields, &build, -1);
	vault_hear(front, PVS_MESSAGE_ALLOWED, NULL, NULL);
	vault_sync_monitor(v);
	g_assert_cmpuint(v->monitor->served, ==, 0);
	for (guint i = 0; i < 10; i++)
		vault_counters(front);
	vault_sync_monitor(v);
	g_assert_cmpuint(v->monitor->served, ==, 1);
	vault_end_free(front);
}

static void test_trust_goes(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	vault_start_ready(v);
	g_clear_pointer(&v->trust, vault_end_free);
	g_assert_cmpint(vault_wait_end(v), ==, 0);
}

static void test_second_link(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	int mine, its = vault_channel_pair(&mine);

	vault_start_ready(v);
	vault_say(v->monitor, PVS_MESSAGE_LINK, 0, NULL, NULL, its);
	g_assert_cmpint(vault_wait_end(v), ==, 70);
	close(its);
	close(mine);
}

static void test_same_front_twice(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	End *a, *b;

	vault_start_ready(v);
	a = vault_add_front(v, 1);
	b = vault_add_front(v, 1);
	g_assert_cmpint(vault_wait_end(v), ==, 70);
	vault_end_free(a);
	vault_end_free(b);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--vault") == 0)
		return pvs_role_main(&pvs_role_vault);
	g_test_init(&argc, &argv, NULL);
	test_arena_init();
	VAULT_TEST("-siblings/flood", NULL, test_flood);
	VAULT_TEST("-siblings/large-secrets", NULL, test_large_secrets);
	VAULT_TEST("-siblings/halves", NULL, test_halves);
	VAULT_TEST("-siblings/held-back", NULL, test_held_back);
	VAULT_TEST("-siblings/gone-in-flight", NULL, test_gone_in_flight);
	VAULT_TEST("-siblings/unread-answers", NULL, test_unread_answers);
	VAULT_TEST("-siblings/bad-fronts", NULL, test_bad_fronts);
	VAULT_TEST("-siblings/serves", NULL, test_serves);
	VAULT_TEST("-siblings/trust-goes", NULL, test_trust_goes);
	VAULT_TEST("-siblings/second-link", NULL, test_second_link);
	VAULT_TEST("-siblings/same-front-twice", NULL, test_same_front_twice);
	VAULT_TEST("-siblings/bad-trust/slot", GUINT_TO_POINTER(0), test_bad_trust);
	VAULT_TEST("-siblings/bad-trust/no-keys", GUINT_TO_POINTER(1), test_bad_trust);
	VAULT_TEST("-siblings/bad-trust/no-bytes", GUINT_TO_POINTER(2), test_bad_trust);
	VAULT_TEST("-siblings/bad-trust/no-signature", GUINT_TO_POINTER(3), test_bad_trust);
	VAULT_TEST("-siblings/bad-trust/no-point", GUINT_TO_POINTER(4), test_bad_trust);
	VAULT_TEST("-siblings/bad-trust/point-and-bytes", GUINT_TO_POINTER(5), test_bad_trust);
	VAULT_TEST("-siblings/bad-trust/short-point", GUINT_TO_POINTER(6), test_bad_trust);
	VAULT_TEST("-siblings/bad-trust/verified-point", GUINT_TO_POINTER(7), test_bad_trust);
	return g_test_run();
}
