/* SPDX-License-Identifier: MIT */
/*
 * vault-process.c - the vault as a process, with its siblings in the test's hand
 */
#include "tests/unit/vault-process.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "protocol/hostkey.h"
#include "tests/unit/document.h"
#include "tests/unit/rules.h"

/* ---- one end of a channel to the vault ---- */

typedef struct {
	PvsMessageType type;
	guint64 call;
	GBytes *body;
} Message;

static void message_free(gpointer data)
{
	Message *message = data;

	g_bytes_unref(message->body);
	g_free(message);
}

static gboolean on_message(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	End *end = user;
	Message *copy = g_new0(Message, 1);

	copy->type = message->type;
	copy->call = message->call;
	copy->body = g_bytes_new(message->body.data, message->body.left);
	g_queue_push_tail(&end->got, copy);
	return TRUE;
}

static void on_closed(PvsChannel *channel G_GNUC_UNUSED, gboolean broken, gpointer user)
{
	End *end = user;

	g_assert_false(broken);
	end->closed = TRUE;
}

static const PvsHandlerRow rows[] = {
	{PVS_MESSAGE_READY, on_message},
	{PVS_MESSAGE_FAILED, on_message},
	{PVS_MESSAGE_PONG, on_message},
	{PVS_MESSAGE_GRANTED, on_message},
	{PVS_MESSAGE_RECORDED, on_message},
	{PVS_MESSAGE_ALLOWED, on_message},
	{PVS_MESSAGE_BUILT, on_message},
	{PVS_MESSAGE_REFUSED, on_message},
	{PVS_MESSAGE_CCKS_ARE, on_message},
	{PVS_MESSAGE_COUNTERS_ARE, on_message},
	{0, NULL},
};

End *vault_end_new_to(int fd, PvsRole self, PvsRole peer)
{
	End *end = g_new0(End, 1);

	g_queue_init(&end->got);
	end->channel = pvs_channel_new(fd, self, peer, rows, on_closed, end);
	return end;
}

End *vault_end_new(int fd, PvsRole self)
{
	return vault_end_new_to(fd, self, PVS_ROLE_VAULT);
}

void vault_end_free(End *end)
{
	if (!end)
		return;
	g_queue_clear_full(&end->got, message_free);
	pvs_channel_free(end->channel);
	g_free(end);
}

/* The log's file, as the monitor hands it over. */
void vault_give_log(Vault *v)
{
	const PvsAuditFile body = {.has_previous = FALSE};
	int fd = open(v->audit, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	const int fds[] = {fd, fd};
	g_auto(PvsWriter) w = pvs_writer();

	g_assert_cmpint(fd, >=, 0);
	pvs_body_put(&w, pvs_audit_file_fields, &body);
	pvs_channel_send(v->monitor->channel, PVS_MESSAGE_AUDIT, 0, &w, fds);
	close(fd);
}

void vault_say(End *end, PvsMessageType type, guint64 call, const PvsField *fields,
	       gconstpointer body, int fd)
{
	g_auto(PvsWriter) w = pvs_writer();

	if (fields)
		pvs_body_put(&w, fields, body);
	pvs_channel_send(end->channel, type, call, fields ? &w : NULL, fd >= 0 ? &fd : NULL);
}

/* The next message, which must be of @type; its body as a struct. */
guint64 vault_hear(End *end, PvsMessageType type, const PvsField *fields, gpointer body)
{
	Message *message;
	PvsReader r;
	guint64 call;
	gsize size;

	while (g_queue_is_empty(&end->got)) {
		g_assert_false(end->closed);
		g_main_context_iteration(NULL, TRUE);
	}
	message = g_queue_pop_head(&end->got);
	g_assert_cmpstr(pvs_message_name(message->type), ==, pvs_message_name(type));
	r = pvs_reader(g_bytes_get_data(message->body, &size), g_bytes_get_size(message->body));
	if (fields)
		g_assert_true(pvs_body_get(&r, fields, body));
	else
		g_assert_true(pvs_reader_end(&r));
	call = message->call;
	message_free(message);
	return call;
}

void vault_hear_close(End *end)
{
	while (!end->closed) {
		/* An answer is none; without this it would be waited for without end. */
		g_assert_true(g_queue_is_empty(&end->got));
		g_main_context_iteration(NULL, TRUE);
	}
}

/* REFUSED with this row, parameter and name. */
void vault_hear_refused(End *end, guint64 call, PvsError code, const char *param, const char *name)
{
	g_autoptr(GError) error = NULL;
	Message *message;
	PvsReader r;

	while (g_queue_is_empty(&end->got))
		g_main_context_iteration(NULL, TRUE);
	message = g_queue_pop_head(&end->got);
	g_assert_cmpstr(pvs_message_name(message->type), ==, "REFUSED");
	g_assert_cmpuint(message->call, ==, call);
	r = pvs_reader(g_bytes_get_data(message->body, NULL), g_bytes_get_size(message->body));
	g_assert_true(pvs_reader_error(&r, &error));
	g_assert_error(error, PVS_ERROR, (gint)code);
	g_assert_cmpstr(pvs_error_param(error), ==, param);
	g_assert_cmpstr(pvs_error_name(error), ==, name);
	message_free(message);
}

/* ---- the process and its files ---- */

void vault_put(const char *directory, const char *name, const void *data, gsize size)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);

	g_assert_true(g_file_set_contents_full(path, data, (gssize)size, G_FILE_SET_CONTENTS_NONE,
					       0600, NULL));
}

void vault_set_up(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	guint8 point[PVS_POINT_SIZE];
	g_autoptr(X509) certificate = NULL;
	g_autoptr(GBytes) pem = NULL;

	v->root = g_dir_make_tmp("pvs-vault-XXXXXX", NULL);
	v->keys = g_build_filename(v->root, "cck.d", NULL);
	v->trust_directory = g_build_filename(v->root, "trust.d", NULL);
	v->images = g_build_filename(v->root, "images.d", NULL);
	v->log = g_build_filename(v->root, "log", NULL);
	v->audit = g_build_filename(v->root, "audit.log", NULL);
	g_assert_cmpint(g_mkdir(v->keys, 0700), ==, 0);
	g_assert_cmpint(g_mkdir(v->trust_directory, 0700), ==, 0);
	g_assert_cmpint(g_mkdir(v->images, 0700), ==, 0);
	test_random_bytes(v->cck, sizeof v->cck);
	test_random_bytes(v->master, sizeof v->master);
	vault_put(v->keys, "prod", v->cck, 32);
	vault_put(v->keys, "test", "0123456789abcdef0123456789abcdef", 32);
	v->signer = EVP_EC_gen("P-521");
	v->host = test_new_key(point);
	certificate = test_certificate(test_ibm, TEST_IBM, v->signer, v->signer, EVP_sha512());
	pem = test_pem_of(certificate);
	vault_put(v->trust_directory, "signing.pem", g_bytes_get_data(pem, NULL),
		  g_bytes_get_size(pem));
}

int vault_channel_pair(int *mine)
{
	int ends[2];

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
			==, 0);
	*mine = ends[0];
	return ends[1];
}

/* Starts the process and sends START. */
void vault_start(Vault *v)
{
	PvsVaultStart body = {
		.cck_directory = v->keys,
		.trust_directory = v->trust_directory,
		.image_directory = v->images,
		.rules = rules_of(v->access ? v->access : RULE_ALL),
		.calls = 64,
		.calls_per_user = 16,
	};
	g_autofree char *master = g_build_filename(v->root, "master", NULL);
	int mine, its = vault_channel_pair(&mine);

	if (g_file_test(master, G_FILE_TEST_EXISTS))
		body.association_master = master;
	v->pid = fork();
	g_assert_cmpint(v->pid, >=, 0);
	if (v->pid == 0) {
		int log = open(v->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

		dup2(log, STDERR_FILENO);
		fcntl(its, F_SETFD, 0);
		if (its != PVS_CHANNEL_FD)
			dup2(its, PVS_CHANNEL_FD);
		execl("/proc/self/exe", "test-vault", "--vault", NULL);
		_exit(127);
	}
	close(its);
	v->monitor = vault_end_new(mine, PVS_ROLE_MONITOR);
	vault_say(v->monitor, PVS_MESSAGE_START, 0, pvs_vault_start_fields, &body, -1);
	rules_clear(&body.rules);
}

void vault_start_ready(Vault *v)
{
	int mine, its = vault_channel_pair(&mine);

	vault_start(v);
	vault_say(v->monitor, PVS_MESSAGE_LINK, 0, NULL, NULL, its);
	close(its);
	v->trust = vault_end_new(mine, PVS_ROLE_TRUST);
	vault_hear(v->monitor, PVS_MESSAGE_READY, NULL, NULL);
	vault_give_log(v);
}

/* Waits for the process; its exit status. */
int vault_wait_end(Vault *v)
{
	int status;

	g_assert_cmpint(waitpid(v->pid, &status, 0), ==, v->pid);
	v->pid = 0;
	g_assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void remove_directory(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		g_remove(file);
	}
	g_rmdir(path);
}

void vault_tear_down(Vault *v, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *log = NULL;

	/* A test that let it live ends it as the monitor does. */
	g_clear_pointer(&v->monitor, vault_end_free);
	if (v->pid)
		g_assert_cmpint(vault_wait_end(v), ==, 0);
	g_clear_pointer(&v->trust, vault_end_free);
	/* Whatever was said: the log has nothing of a call or a key. */
	if (g_file_get_contents(v->log, &log, NULL, NULL)) {
		g_assert_null(strstr(log, "canary"));
		g_assert_null(strstr(log, "0123456789abcdef"));
		g_assert_null(strstr(log, "CRITICAL"));
	}
	EVP_PKEY_free(v->signer);
	EVP_PKEY_free(v->host);
	remove_directory(v->keys);
	remove_directory(v->trust_directory);
	remove_directory(v->images);
	remove_directory(v->root);
	g_free(v->root);
	g_free(v->keys);
	g_free(v->trust_directory);
	g_free(v->images);
	g_free(v->log);
	g_free(v->audit);
}

char *vault_log_of(const Vault *v)
{
	char *log = NULL;

	g_assert_true(g_file_get_contents(v->log, &log, NULL, NULL));
	return log;
}

End *vault_add_front(Vault *v, guint number)
{
	PvsAddFront body = {.front = number, .uid = 1000 + number, .gid = 100};
	PvsGroup *groups = pvs_list_init(&body.groups, PvsGroup, 1);
	int mine, its = vault_channel_pair(&mine);

	groups[0].gid = 4;
	vault_say(v->monitor, PVS_MESSAGE_ADD_FRONT, 0, pvs_add_front_fields, &body, its);
	close(its);
	pvs_add_front_clear(&body);
	return vault_end_new(mine, PVS_ROLE_FRONT);
}

/* The vault has read what the monitor said before. */
void vault_sync_monitor(Vault *v)
{
	vault_say(v->monitor, PVS_MESSAGE_PING, 77, NULL, NULL, -1);
	g_assert_cmpuint(vault_hear(v->monitor, PVS_MESSAGE_PONG, NULL, NULL), ==, 77);
}

void vault_add_key(const Vault *v, PvsSignedKey *key, EVP_PKEY *host)
{
	g_autoptr(X509) document = test_certificate(test_ibm, 3, host, host, EVP_sha512());

	key->tbs = test_tbs_of(document);
	key->signature = test_sign(v->signer, EVP_sha512(), key->tbs);
	key->algorithm = PVS_SIGNATURE_ECDSA_SHA512;
}

PvsGranted vault_grant_until(Vault *v, guint front, guint slot, guint n, gint64 until,
			     gboolean forged)
{
	g_auto(PvsGrant) body = {.front = front, .slot = slot, .until = until};
	PvsSignedKey *keys = pvs_list_init(&body.keys, PvsSignedKey, n);
	PvsGranted granted = {0};

	for (guint i = 0; i < n; i++)
		vault_add_key(v, &keys[i], v->host);
	if (forged)
		keys[n - 1].algorithm = PVS_SIGNATURE_RSA_SHA512;
	vault_say(v->trust, PVS_MESSAGE_GRANT, 5, pvs_grant_fields, &body, -1);
	g_assert_cmpuint(vault_hear(v->trust, PVS_MESSAGE_GRANTED, pvs_granted_fields, &granted),
			 ==, 5);
	return granted;
}

void vault_grant(Vault *v, guint front, guint slot, guint n)
{
	g_assert_cmpint(vault_grant_until(v, front, slot, n, time(NULL) + 3600, FALSE).refused, ==,
			0);
}

const guint8 vault_given[32] = "canary of a secret, 32 bytes...";

PvsBuild vault_association(guint slot)
{
	PvsBuild build = {
		.slot = slot,
		.flags = PVS_FLAG_DISABLE_DUMP,
		.type = PVS_SECRET_ASSOCIATION,
		.value_kind = PVS_VALUE_GIVEN,
		.name = (char *)"canary n\xc3\xa4me",
		.cck = (char *)"prod",
		.value = {vault_given, sizeof vault_given},
	};

	memset(build.tags, 0x31, sizeof build.tags);
	memset(build.cuid, 0x42, sizeof build.cuid);
	return build;
}

void vault_ask(End *front, guint64 call, const PvsBuild *build)
{
	vault_say(front, PVS_MESSAGE_BUILD, call, pvs_build_fields, build, -1);
}

void vault_ask_and_open(Vault *v, End *front, const PvsBuild *build, Opened *opened)
{
	g_auto(PvsBuilt) built = {0};
	guint8 id[32];

	vault_ask(front, 9, build);
	g_assert_cmpuint(vault_hear(front, PVS_MESSAGE_BUILT, pvs_built_fields, &built), ==, 9);
	g_assert_cmpint(built.expired, ==, 0);
	g_assert_true(test_open_request(built.request, v->host, opened));
	g_assert_cmpmem(built.id, 32, opened->id, 32);
	if (build->name) {
		test_sha256((const guint8 *)build->name, strlen(build->name), id);
		g_assert_cmpmem(opened->id, 32, id, 32);
	}
}

gboolean vault_is_expired(End *front, guint slot)
{
	g_auto(PvsBuilt) built = {0};
	PvsBuild build = vault_association(slot);

	vault_ask(front, 9, &build);
	vault_hear(front, PVS_MESSAGE_BUILT, pvs_built_fields, &built);
	g_assert_true(built.expired == (built.request == NULL));
	return built.expired;
}

PvsCountersAre vault_counters(End *front)
{
	PvsCountersAre body = {0};

	vault_say(front, PVS_MESSAGE_COUNTERS, 3, NULL, NULL, -1);
	g_assert_cmpuint(
		vault_hear(front, PVS_MESSAGE_COUNTERS_ARE, pvs_counters_are_fields, &body), ==, 3);
	g_assert_cmpstr(body.locked_kind, !=, NULL);
	pvs_counters_are_clear(&body);
	return body;
}
