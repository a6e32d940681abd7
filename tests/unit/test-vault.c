/* SPDX-License-Identifier: MIT */
/*
 * test-vault.c - the vault as a process: loading, building, grants
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/vault-process.h"

/* ---- loading ---- */

static void test_load_fails(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	g_auto(PvsFailed) failed = {0};
	g_auto(GStrv) lines = NULL;
	g_autofree char *link = g_build_filename(v->trust_directory, "dangling", NULL);

	vault_put(v->keys, "short", "0123456789abcdef", 16);
	g_assert_cmpint(symlink("nowhere", link), ==, 0);
	vault_start(v);
	vault_hear(v->monitor, PVS_MESSAGE_FAILED, pvs_failed_fields, &failed);
	g_assert_cmpint(failed.config, ==, 1);
	lines = g_strsplit(failed.text, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, 2);
	g_assert_nonnull(strstr(lines[0], "/cck.d/short: has 16 bytes"));
	g_assert_nonnull(strstr(lines[1], "/trust.d/dangling: "));
	g_clear_pointer(&v->monitor, vault_end_free);
	g_assert_cmpint(vault_wait_end(v), ==, 78);
}

static guint threads_of(const Vault *v)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task", (int)v->pid);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	guint n = 0;

	g_assert_nonnull(dir);
	while (g_dir_read_name(dir))
		n++;
	return n;
}

static void test_ready(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	End *front;
	PvsCountersAre c;
	g_auto(PvsCcksAre) ccks = {{0}};
	guint threads;
	g_autofree char *log = NULL;

	vault_start_ready(v);
	threads = threads_of(v);
	front = vault_add_front(v, 1);
	c = vault_counters(front);
	g_assert_cmpuint(c.ccks, ==, 2);
	g_assert_cmpuint(c.signing_keys, ==, 1);
	g_assert_cmpuint(c.built, ==, 0);
	g_assert_cmpuint(c.refused, ==, 0);
	g_assert_cmpuint(c.threads, >=, 1);
	g_assert_cmpuint(c.threads, <=, g_get_num_processors());
	g_assert_cmpuint(threads, ==, 2 + c.threads);
	g_assert_cmpuint(c.locked_used, >, 0);
	g_assert_cmpuint(c.locked_used, <=, c.locked_peak);
	g_assert_cmpuint(c.locked_peak, <=, 1024 * 1024);

	vault_say(front, PVS_MESSAGE_CCKS, 4, NULL, NULL, -1);
	g_assert_cmpuint(vault_hear(front, PVS_MESSAGE_CCKS_ARE, pvs_ccks_are_fields, &ccks), ==,
			 4);
	g_assert_cmpuint(ccks.ccks.n, ==, 2);
	g_assert_cmpstr(pvs_list_nth(ccks.ccks, PvsCckInfo, 0)->name, ==, "prod");
	g_assert_cmpstr(pvs_list_nth(ccks.ccks, PvsCckInfo, 1)->name, ==, "test");

	vault_grant(v, 1, 0, 1);
	for (guint i = 0; i < 20; i++)
		g_assert_false(vault_is_expired(front, 0));
	g_assert_cmpuint(threads_of(v), ==, threads); /* and none was started since */
	g_assert_cmpuint(vault_counters(front).built, ==, 20);
	log = vault_log_of(v);
	g_assert_nonnull(strstr(log,
				"<6>vault: CCKs: 2, extension secrets: 0, user signing keys: 0, "
				"master for association secrets: no, images: 0, signing "
				"keys: 1, "));
	vault_end_free(front);
}

/* ---- building ---- */

static void test_association(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	PvsBuild build = vault_association(63);
	Opened opened;
	guint8 expected[32], value[8], tag[16];
	g_auto(PvsBuilt) built = {0};
	End *front;

	vault_start_ready(v);
	front = vault_add_front(v, 1);
	vault_sync_monitor(v);
	vault_grant(v, 1, 63, 3);

	vault_ask_and_open(v, front, &build, &opened);
	g_assert_cmpuint(opened.type, ==, PVS_SECRET_ASSOCIATION);
	g_assert_cmpuint(opened.flags, ==, PVS_FLAG_DISABLE_DUMP);
	g_assert_cmpmem(opened.secret, 32, vault_given, 32);
	memset(tag, 0x31, sizeof tag);
	test_hkdf512(v->cck, tag, 16, "IBM Z Ultravisor Add-Secret", expected, 32);
	g_assert_cmpmem(opened.extension, 32, expected, 32);

	vault_ask(front, 10, &build);
	vault_hear(front, PVS_MESSAGE_BUILT, pvs_built_fields, &built);
	test_hkdf512(v->cck, NULL, 0, "pvsecretd check value", value, 8);
	g_assert_cmpmem(built.check_value, 8, value, 8);
	g_assert_cmpuint(((const guint8 *)g_bytes_get_data(built.request, NULL))[0x27], ==, 3);
	g_assert_cmphex(((const guint8 *)g_bytes_get_data(built.request, NULL))[0x108], ==, 0x42);

	build.cck = NULL;
	vault_ask_and_open(v, front, &build, &opened);
	memset(expected, 0, 32);
	g_assert_cmpmem(opened.extension, 32, expected, 32);

	build = (PvsBuild){.slot = 63, .type = PVS_SECRET_NULL, .value_kind = PVS_VALUE_NONE};
	vault_ask_and_open(v, front, &build, &opened);
	g_assert_cmpuint(opened.type, ==, PVS_SECRET_NULL);
	g_assert_cmpuint(opened.secret_size, ==, 0);
	vault_end_free(front);
}

/* A name that is empty: on the wire there is none. */
static void test_empty_name(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	static const guint8 id[] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14}; /* SHA-256 */
	PvsBuild build = vault_association(0);
	g_auto(PvsBuilt) built = {0};
	End *front;

	vault_start_ready(v);
	front = vault_add_front(v, 1);
	vault_sync_monitor(v);
	vault_grant(v, 1, 0, 1);
	build.name = (char *)"";
	vault_ask(front, 1, &build);
	vault_hear(front, PVS_MESSAGE_BUILT, pvs_built_fields, &built);
	g_assert_cmpmem(built.id, sizeof id, id, sizeof id);
	vault_end_free(front);
}

static void test_random_secret(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	PvsBuild build = vault_association(0);
	Opened opened[5];
	End *front;

	vault_start_ready(v);
	front = vault_add_front(v, 1);
	vault_sync_monitor(v);
	vault_grant(v, 1, 0, 1);
	build.value_kind = PVS_VALUE_RANDOM;
	build.value = (PvsSpan){NULL, 0};
	for (guint i = 0; i < G_N_ELEMENTS(opened); i++) {
		vault_ask_and_open(v, front, &build, &opened[i]);
		for (guint j = 0; j < i; j++)
			g_assert_true(memcmp(opened[i].secret, opened[j].secret, 32) != 0);
	}
	vault_end_free(front);
}

static void test_refused(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	PvsBuild build;
	End *front;

	vault_start_ready(v);
	front = vault_add_front(v, 1);
	vault_sync_monitor(v);
	vault_grant(v, 1, 0, 1);

	build = vault_association(0);
	build.cck = (char *)"none";
	vault_ask(front, 1, &build);
	vault_hear_refused(front, 1, PVS_ERROR_NO_CCK, "/cck", "none");

	for (gsize size = 0; size <= 64; size += 31) {
		guint8 value[64] = {0};

		build = vault_association(0);
		build.value = (PvsSpan){value, size};
		vault_ask(front, 3, &build);
		vault_hear_refused(front, 3, PVS_ERROR_PARAM_SECRET_SIZE, "/secret/value", NULL);
	}
	g_assert_cmpuint(vault_counters(front).refused, ==, 4);
	g_assert_cmpuint(vault_counters(front).built, ==, 0);
	/* And the channel is as good as before. */
	g_assert_false(vault_is_expired(front, 0));
	vault_end_free(front);
}

/* ---- grants ---- */

/* @n grants of front 1's are on record as refused, and the log has one line about all of them. */
static void expect_disputed(const Vault *v, guint n)
{
	g_autofree char *log = vault_log_of(v);
	g_autofree char *audit = NULL;
	g_auto(GStrv) lines = NULL;
	const char *said = strstr(log, "<4>vault: trust granted the front of uid 1001 what the "
				       "vault does not agree to: ");
	guint found = 0;

	g_assert_true(g_file_get_contents(v->audit, &audit, NULL, NULL));
	lines = g_strsplit(audit, "\n", -1);
	for (char **line = lines; *line; line++) {
		if (!strstr(*line, "\"event\":\"grant\""))
			continue;
		found++;
		g_assert_nonnull(strstr(*line, ",\"uid\":1001,\"gid\":100,\"signed_parts\":[\""));
		g_assert_nonnull(strstr(*line, ",\"outcome\":\"signature\",\"code\":-32002}"));
	}
	g_assert_cmpuint(found, ==, n);
	g_assert_cmpint(said != NULL, ==, n > 0);
	g_assert_true(!said || !strstr(said + 1, "<4>vault: trust granted"));
}

/* Without a log nothing is done, and that the vault does not agree is no exception. */
static void test_dispute_without_a_log(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	PvsGranted granted;
	End *front;
	int fd = open("/dev/full", O_RDWR | O_CLOEXEC);
	const int fds[] = {fd, fd};
	const PvsAuditFile body = {.has_previous = FALSE};
	g_auto(PvsWriter) w = pvs_writer();

	g_assert_cmpint(fd, >=, 0);
	vault_start_ready(v);
	pvs_body_put(&w, pvs_audit_file_fields, &body);
	pvs_channel_send(v->monitor->channel, PVS_MESSAGE_AUDIT, 0, &w, fds);
	close(fd);
	front = vault_add_front(v, 1);
	vault_sync_monitor(v);
	for (guint i = 0; i < 3; i++) {
		granted = vault_grant_until(v, 1, 0, 2, time(NULL) + 3600, TRUE);
		g_assert_cmpint(granted.refused, ==, 1);
		g_assert_cmpint(granted.error, ==, PVS_ERROR_AUDIT);
	}
	/* What the vault agrees to is no call's end: that comes with what is built. */
	vault_grant(v, 1, 0, 1);
	vault_end_free(front);
}

static void test_grants(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	End *front, *other;
	PvsGranted granted;
	gint64 now;

	vault_start_ready(v);
	front = vault_add_front(v, 1);
	other = vault_add_front(v, 2);
	vault_sync_monitor(v);

	g_assert_true(vault_is_expired(front, 0));
	vault_grant(v, 1, 0, 1);
	g_assert_false(vault_is_expired(front, 0));
	g_assert_true(vault_is_expired(front, 1));
	/* A grant is its front's alone. */
	g_assert_true(vault_is_expired(other, 0));

	/* One forged key among good ones: nothing is granted, and what was there is gone. */
	granted = vault_grant_until(v, 1, 0, 3, time(NULL) + 3600, TRUE);
	g_assert_cmpint(granted.refused, ==, 1);
	g_assert_cmpint(granted.error, ==, PVS_ERROR_HOST_KEY_SIGNATURE);
	g_assert_true(vault_is_expired(front, 0));

	/* That trust lied, or was lied to, is on record before it can answer, and in the log. */
	expect_disputed(v, 1);

	granted = vault_grant_until(v, 3, 0, 1, time(NULL) + 3600, FALSE);
	g_assert_cmpint(granted.refused, ==, 1);
	g_assert_cmpint(granted.error, ==, PVS_ERROR_RESTARTING);
	/* Nobody's call: nothing to put on record. */
	expect_disputed(v, 1);

	now = time(NULL);
	g_assert_cmpint(vault_grant_until(v, 1, 0, 1, now, FALSE).refused, ==, 0);
	g_assert_true(vault_is_expired(front, 0));

	/* The same number of a front that came later is not that front. */
	vault_grant(v, 2, 0, 1);
	g_assert_false(vault_is_expired(other, 0));
	vault_end_free(other);
	while (vault_grant_until(v, 2, 0, 1, now + 3600, FALSE).refused == 0)
		; /* until the vault has seen that it is gone */
	g_assert_cmpint(vault_grant_until(v, 2, 0, 1, now + 3600, FALSE).error, ==,
			PVS_ERROR_RESTARTING);
	vault_end_free(front);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--vault") == 0)
		return pvs_role_main(&pvs_role_vault);
	g_test_init(&argc, &argv, NULL);
	test_arena_init();
	VAULT_TEST("/load-fails", NULL, test_load_fails);
	VAULT_TEST("/ready", NULL, test_ready);
	VAULT_TEST("/build", NULL, test_association);
	VAULT_TEST("/empty-name", NULL, test_empty_name);
	VAULT_TEST("/random-secret", NULL, test_random_secret);
	VAULT_TEST("/refused", NULL, test_refused);
	VAULT_TEST("/grants", NULL, test_grants);
	VAULT_TEST("/dispute-without-a-log", NULL, test_dispute_without_a_log);
	return g_test_run();
}
