/* SPDX-License-Identifier: MIT */
/*
 * trust-process.c - trust as a process, with the test in the place of the monitor and the vault
 */
#include "tests/unit/trust-process.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/rules.h"

static gboolean on_grant(PvsChannel *channel, PvsMessage *message, gpointer user)
{
	Trust *t = user;
	g_auto(PvsGrant) grant = {0};
	g_auto(PvsWriter) w = pvs_writer();
	PvsGranted granted = {0};

	g_assert_true(pvs_body_get(&message->body, pvs_grant_fields, &grant));
	g_assert_cmpuint(grant.front, >=, 100);
	g_assert_cmpuint(grant.slot, <, PVS_GRANTS_MAX);
	/* Nothing is granted unverified but where the rules allow it; and then it says so. */
	g_assert_true(!grant.unverified || t->loose);
	for (guint i = 0; i < grant.keys.n; i++) {
		const PvsSignedKey *key = pvs_list_nth(grant.keys, PvsSignedKey, i);

		if (grant.unverified)
			g_assert_true(key->point && !key->tbs && !key->signature);
		else
			g_assert_true(!key->point && g_bytes_equal(key->tbs, t->genuine_tbs));
	}
	t->grants += !grant.unverified;
	t->unverified += grant.unverified != 0;
	pvs_body_put(&w, pvs_granted_fields, &granted);
	pvs_channel_send(channel, PVS_MESSAGE_GRANTED, message->call, &w, NULL);
	return TRUE;
}

static gboolean on_record(PvsChannel *channel, PvsMessage *message, gpointer user)
{
	Trust *t = user;
	g_auto(PvsRecord) record = {0};
	g_auto(PvsWriter) w = pvs_writer();
	PvsRecorded recorded = {.written = TRUE};

	g_assert_true(pvs_body_get(&message->body, pvs_record_fields, &record));
	g_assert_cmpuint(record.front, >=, 100);
	t->records++;
	t->last_documents = record.documents.n;
	t->last = record;
	t->last.param = NULL;
	t->last.documents = (PvsList){NULL, 0};
	pvs_body_put(&w, pvs_recorded_fields, &recorded);
	pvs_channel_send(channel, PVS_MESSAGE_RECORDED, message->call, &w, NULL);
	return TRUE;
}

static void on_trust_gone(PvsChannel *channel G_GNUC_UNUSED, gboolean broken,
			  gpointer user G_GNUC_UNUSED)
{
	g_assert_false(broken);
}

static const PvsHandlerRow vault_rows[] = {
	{PVS_MESSAGE_GRANT, on_grant}, {PVS_MESSAGE_RECORD, on_record}, {0, NULL}};

void trust_start(Trust *t, const PvsPki *pki, const char *rules)
{
	g_autofree char *trust_d = NULL, *root = NULL, *log = NULL, *host_keys = NULL;
	PvsTrustStart body = {.crl_size = 1 << 23,
			      .crl_entries = 200000,
			      .max_host_keys = 20,
			      .calls = 64,
			      .calls_per_user = 16};
	int mine, its = vault_channel_pair(&mine);

	t->root = g_dir_make_tmp("pvs-hostile-XXXXXX", NULL);
	trust_d = g_build_filename(t->root, "trust.d", NULL);
	root = g_build_filename(t->root, "root.crt", NULL);
	log = g_build_filename(t->root, "log", NULL);
	host_keys = g_build_filename(t->root, "hostkeys.d", NULL);
	g_assert_cmpint(g_mkdir(trust_d, 0755), ==, 0);
	g_assert_cmpint(g_mkdir(host_keys, 0755), ==, 0);
	if (t->large)
		pvs_pki_write(host_keys, "large.crt", g_bytes_ref(t->large));
	pvs_pki_install(pki, t->root);
	body.root_ca = root;
	body.trust_directory = trust_d;
	body.crl_directory = trust_d;
	body.host_key_directory = host_keys;
	t->pid = fork();
	g_assert_cmpint(t->pid, >=, 0);
	if (t->pid == 0) {
		int log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

		dup2(log_fd, STDERR_FILENO);
		fcntl(its, F_SETFD, 0);
		if (its != PVS_CHANNEL_FD)
			dup2(its, PVS_CHANNEL_FD);
		execl("/proc/self/exe", "test-hostile", "--trust", NULL);
		_exit(127);
	}
	close(its);
	t->monitor = vault_end_new_to(mine, PVS_ROLE_MONITOR, PVS_ROLE_TRUST);
	body.rules = rules_of(rules);
	vault_say(t->monitor, PVS_MESSAGE_START, 0, pvs_trust_start_fields, &body, -1);
	rules_clear(&body.rules);
	its = vault_channel_pair(&mine);
	vault_say(t->monitor, PVS_MESSAGE_LINK, 0, NULL, NULL, its);
	close(its);
	t->vault =
		pvs_channel_new(mine, PVS_ROLE_VAULT, PVS_ROLE_TRUST, vault_rows, on_trust_gone, t);
	vault_hear(t->monitor, PVS_MESSAGE_READY, NULL, NULL);
}

void trust_end(Trust *t)
{
	static const char *const files[] = {
		"trust.d/signing.crt",
		"trust.d/signing.crl",
		"trust.d/inter.crt",
		"trust.d/inter.crl",
		"trust.d/root.crl",
		"trust.d",
		"root.crt",
		"log",
		"hostkeys.d",
	};
	g_autofree char *log_path = g_build_filename(t->root, "log", NULL);
	g_autofree char *log = NULL;
	int status;

	if (t->large) {
		g_autofree char *large = g_build_filename(t->root, "hostkeys.d/large.crt", NULL);

		g_assert_cmpint(g_remove(large), ==, 0);
	}
	g_clear_pointer(&t->monitor, vault_end_free);
	g_assert_cmpint(waitpid(t->pid, &status, 0), ==, t->pid);
	g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	pvs_channel_free(t->vault);
	g_assert_true(g_file_get_contents(log_path, &log, NULL, NULL));
	g_assert_null(strstr(log, "CRITICAL"));
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_build_filename(t->root, files[i], NULL);

		g_assert_cmpint(g_remove(path), ==, 0);
	}
	g_assert_cmpint(g_rmdir(t->root), ==, 0);
	g_free(t->root);
}
