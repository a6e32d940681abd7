/* SPDX-License-Identifier: MIT */
/*
 * test-hostile.c - trust and vault among siblings that an attacker has taken over
 *
 * A front that sends whatever it likes, and a trust that does. Nothing is gained: no request for a
 * grant that is another's, no grant for a document that nobody signed, no process that dies. Each
 * message is answered, or its channel is cut. PVS_HOSTILE_MESSAGES says how many for each case.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/pki/pki.h"
#include "tests/unit/rules.h"
#include "tests/unit/vault-process.h"

static guint n_messages = 4000;
static GRand *dice;

static guint roll(guint n)
{
	return (guint)g_rand_int_range(dice, 0, (gint32)n);
}

/* ---- messages ---- */

typedef struct {
	PvsMessageType type;
	const PvsField *fields; /* NULL: no body */
	GBytes *body;
} Sample;

static Sample sample_of(PvsMessageType type, const PvsField *fields, gconstpointer body)
{
	g_auto(PvsWriter) w = pvs_writer();

	if (fields)
		pvs_body_put(&w, fields, body);
	return (Sample){type, fields, g_bytes_new(w.data, w.size)};
}

static void put_header(GByteArray *out, guint32 type, guint32 size)
{
	g_auto(PvsWriter) w = pvs_writer();

	pvs_writer_u32(&w, type);
	pvs_writer_u32(&w, size);
	pvs_writer_u64(&w, (guint64)g_rand_int(dice) << 32 | g_rand_int(dice));
	g_byte_array_append(out, w.data, (guint)w.size);
}

static void put_random(GByteArray *out, guint size)
{
	for (guint i = 0; i < size; i++) {
		guint8 byte = (guint8)roll(256);

		g_byte_array_append(out, &byte, 1);
	}
}

/* Changes some bytes behind the header: anything, or what a length or a number might be. */
static void mutate(GByteArray *out)
{
	static const guint8 favourites[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x40, 0x3f};

	if (out->len <= PVS_FRAME_HEADER)
		return;
	for (guint n = 1 + roll(4); n > 0; n--) {
		guint at = PVS_FRAME_HEADER + roll(out->len - PVS_FRAME_HEADER);

		/* More often where a structure begins. */
		if (roll(2))
			at = PVS_FRAME_HEADER + roll(MIN(out->len - PVS_FRAME_HEADER, 64));
		out->data[at] =
			roll(2) ? (guint8)roll(256) : favourites[roll(G_N_ELEMENTS(favourites))];
	}
}

/* What the message is that was made: whether the other side can see its end. */
typedef enum { WHOLE, CUT } Shape;

static Shape make(GByteArray *out, const Sample *samples, guint n)
{
	const Sample *s = &samples[roll(n)];
	guint size = (guint)g_bytes_get_size(s->body);

	switch (roll(8)) {
	case 0: /* any type, and a length that is so or not */
		size = roll(200);
		put_header(out, roll(PVS_MESSAGE_LAST_ + 10), roll(2) ? size : g_rand_int(dice));
		put_random(out, size);
		return CUT;
	case 1: /* a permitted type, any body */
		size = roll(300);
		put_header(out, s->type, size);
		put_random(out, size);
		return WHOLE;
	case 2: /* a part of the body, with a length that fits */
		size = size ? roll(size) : 0;
		put_header(out, s->type, size);
		g_byte_array_append(out, g_bytes_get_data(s->body, NULL), size);
		return WHOLE;
	case 3: /* a length that is more than comes */
		put_header(out, s->type, size + 1 + roll(1000));
		g_byte_array_append(out, g_bytes_get_data(s->body, NULL), size);
		return CUT;
	case 4: /* something behind the body */
		put_header(out, s->type, size + 3);
		g_byte_array_append(out, g_bytes_get_data(s->body, NULL), size);
		put_random(out, 3);
		return WHOLE;
	default: /* the body, changed here and there */
		put_header(out, s->type, size);
		g_byte_array_append(out, g_bytes_get_data(s->body, NULL), size);
		mutate(out);
		return WHOLE;
	}
}

/* ---- the attacker's end of a channel ---- */

static gboolean on_readable(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED,
			    gpointer user)
{
	gboolean *done = user;

	*done = TRUE;
	return G_SOURCE_REMOVE;
}

static gboolean on_late(gpointer user G_GNUC_UNUSED)
{
	g_error("neither an answer nor an end");
	return G_SOURCE_REMOVE;
}

static void wait_readable(int fd)
{
	gboolean done = FALSE;
	guint late = g_timeout_add_seconds(60, on_late, NULL);

	g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, &done);
	while (!done)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(late);
}

/* FALSE at the end. */
static gboolean read_all(int fd, guint8 *out, gsize size)
{
	while (size > 0) {
		ssize_t n;

		wait_readable(fd);
		n = recv(fd, out, size, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return FALSE;
		out += n;
		size -= (gsize)n;
	}
	return TRUE;
}

/* One message with, at times, a descriptor that nobody asked for. */
static gboolean send_all(int fd, const GByteArray *bytes, int passed)
{
	gsize at = 0;

	while (at < bytes->len) {
		union {
			char buffer[CMSG_SPACE(sizeof(int))];
			struct cmsghdr align;
		} control = {0};
		struct iovec iov = {bytes->data + at, bytes->len - at};
		struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
		ssize_t n;

		if (passed >= 0 && at == 0) {
			struct cmsghdr *cmsg;

			message.msg_control = control.buffer;
			message.msg_controllen = sizeof control.buffer;
			cmsg = CMSG_FIRSTHDR(&message);
			cmsg->cmsg_level = SOL_SOCKET;
			cmsg->cmsg_type = SCM_RIGHTS;
			cmsg->cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(cmsg), &passed, sizeof passed);
		}
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return FALSE;
		at += (gsize)n;
	}
	return TRUE;
}

typedef struct {
	guint answers, ends;
} Tally;

/* Reads what comes for one message; FALSE where the channel was cut. */
static gboolean take_answer(int fd, void (*look)(guint32 type, PvsReader body))
{
	guint8 header[PVS_FRAME_HEADER];
	PvsReader r = pvs_reader(header, sizeof header);
	guint32 type = 0, size = 0;
	g_autofree guint8 *body = NULL;

	if (!read_all(fd, header, sizeof header))
		return FALSE;
	g_assert_true(pvs_reader_u32(&r, &type) && pvs_reader_u32(&r, &size));
	g_assert_cmpuint(type, <, PVS_MESSAGE_LAST_);
	g_assert_cmpuint(size, <=, pvs_message_cap((PvsMessageType)type));
	body = g_malloc(size + 1);
	g_assert_true(read_all(fd, body, size));
	look(type, pvs_reader(body, size));
	return TRUE;
}

/* ---- a hostile front at the vault ---- */

/* Front 1 is uid 1001's; attackers are others. */
#define HONEST_ALONE "Users=1001\nMethods=*\nCcks=*\nNames=*\n"

static int raw_front(End *monitor, guint number)
{
	PvsAddFront body = {.front = number, .uid = 1000 + number, .gid = 100};
	int mine, its = vault_channel_pair(&mine);

	vault_say(monitor, PVS_MESSAGE_ADD_FRONT, 0, pvs_add_front_fields, &body, its);
	close(its);
	fcntl(mine, F_SETFL, fcntl(mine, F_GETFL) & ~O_NONBLOCK);
	return mine;
}

/* Sends the messages, each on a channel that is not cut yet. */
static Tally attack(End *monitor, guint first_front, const Sample *samples, guint n,
		    void (*look)(guint32 type, PvsReader body))
{
	Tally tally = {0};
	guint front = first_front;
	int fd = -1;

	for (guint i = 0; i < n_messages; i++) {
		g_autoptr(GByteArray) out = g_byte_array_new();
		Shape shape = make(out, samples, n);
		gboolean lives;

		if (fd < 0)
			fd = raw_front(monitor, front++);
		lives = send_all(fd, out, roll(50) == 0 ? fd : -1);
		if (lives && shape == CUT)
			shutdown(fd, SHUT_WR);
		lives = lives && take_answer(fd, look);
		tally.answers += lives;
		tally.ends += !lives;
		/* After the end of what it sends, the other side ends it as well. */
		if (shape == CUT || !lives) {
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0)
		close(fd);
	return tally;
}

static const guint8 others_front = 1;

/* To who has no section: nothing but this, whatever it asks. */
static void look_for_refusals(guint32 type, PvsReader body)
{
	g_autoptr(GError) error = NULL;

	g_assert_cmpuint(type, ==, PVS_MESSAGE_REFUSED);
	g_assert_true(pvs_reader_error(&body, &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_DENIED_METHOD);
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

/* @data: the rules; where they have nothing for the attacker, it hears nothing. */
static void test_front_at_vault(Vault *v, gconstpointer data)
{
	PvsBuild builds[] = {vault_association(0), vault_association(63), vault_association(5)};
	PvsGrant grant = {.front = others_front, .until = time(NULL) + 3600};
	PvsSignedKey *keys = pvs_list_init(&grant.keys, PvsSignedKey, 1);
	PvsAddFront claim = {.front = others_front, .uid = 0};
	PvsCountersAre before, after;
	Sample samples[9];
	Tally tally;
	End *honest;
	guint n = 0;

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
		samples[n++] = sample_of(PVS_MESSAGE_BUILD, pvs_build_fields, &builds[i]);
	samples[n++] = sample_of(PVS_MESSAGE_JUDGE, pvs_build_fields, &builds[2]);
	samples[n++] = sample_of(PVS_MESSAGE_CCKS, NULL, NULL);
	samples[n++] = sample_of(PVS_MESSAGE_COUNTERS, NULL, NULL);
	/* What others may say: that I have a grant, that I am somebody else. */
	samples[n++] = sample_of(PVS_MESSAGE_GRANT, pvs_grant_fields, &grant);
	samples[n++] = sample_of(PVS_MESSAGE_ADD_FRONT, pvs_add_front_fields, &claim);
	samples[n++] = sample_of(PVS_MESSAGE_BUILD, pvs_build_fields, &builds[0]);

	honest = vault_add_front(v, others_front);
	vault_sync_monitor(v);
	for (guint slot = 0; slot < PVS_GRANTS_MAX; slot++)
		vault_grant(v, others_front, slot, 1);
	before = vault_counters(honest);
	tally = attack(v->monitor, 100, samples, n, data ? look_for_refusals : look_at_vaults);
	g_test_message("%u answers, %u ends", tally.answers, tally.ends);
	g_assert_cmpuint(tally.answers, >, n_messages / 10);
	g_assert_cmpuint(tally.ends, >, n_messages / 10);
	/* The vault is the same, nothing stayed in its memory, and the honest front's work goes on.
	 */
	vault_sync_monitor(v);
	after = vault_counters(honest);
	g_assert_cmpuint(after.locked_used, ==, before.locked_used);
	g_assert_cmpuint(after.built, ==, before.built);
	g_assert_false(vault_is_expired(honest, 0));
	for (guint i = 0; i < n; i++)
		g_bytes_unref(samples[i].body);
	pvs_grant_clear(&grant);
	vault_end_free(honest);
}

/* ---- a hostile trust at the vault ---- */

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
	for (guint i = 0; i < n_messages; i++) {
		g_auto(PvsGrant) body = {.front = others_front, .until = good.until};
		PvsSignedKey *key = pvs_list_init(&body.keys, PvsSignedKey, 1);
		GBytes **fields[] = {&key->tbs, &key->signature};
		GBytes *const sources[] = {genuine[0].tbs, genuine[0].signature};
		guint changed = roll(2);
		PvsGranted granted = {0};

		body.slot = roll(PVS_GRANTS_MAX);
		key->algorithm = roll(10) ? genuine[0].algorithm : (guint8)roll(8);
		for (guint f = 0; f < G_N_ELEMENTS(fields); f++) {
			gsize size = g_bytes_get_size(sources[f]);
			guint8 *copy = g_memdup2(g_bytes_get_data(sources[f], NULL), size);

			if (f == changed) {
				copy[roll((guint)size)] ^= (guint8)(1 << roll(8));
				if (roll(4) == 0)
					size = 1 + roll((guint)size);
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
	vault_grant(v, others_front, 0, 1);
	g_assert_false(vault_is_expired(front, 0));
	vault_end_free(front);
}

/* ---- a hostile front at trust ---- */

typedef struct {
	char *root;
	GPid pid;
	End *monitor;
	PvsChannel *vault; /* the test is the vault */
	guint grants;
} Trust;

static GBytes *genuine_tbs;

static gboolean on_grant(PvsChannel *channel, PvsMessage *message, gpointer user)
{
	Trust *t = user;
	g_auto(PvsGrant) grant = {0};
	g_auto(PvsWriter) w = pvs_writer();
	PvsGranted granted = {0};

	g_assert_true(pvs_body_get(&message->body, pvs_grant_fields, &grant));
	g_assert_cmpuint(grant.front, >=, 100);
	g_assert_cmpuint(grant.slot, <, PVS_GRANTS_MAX);
	for (guint i = 0; i < grant.keys.n; i++)
		g_assert_true(
			g_bytes_equal(pvs_list_nth(grant.keys, PvsSignedKey, i)->tbs, genuine_tbs));
	t->grants++;
	pvs_body_put(&w, pvs_granted_fields, &granted);
	pvs_channel_send(channel, PVS_MESSAGE_GRANTED, message->call, &w, NULL);
	return TRUE;
}

static gboolean on_record(PvsChannel *channel, PvsMessage *message, gpointer user G_GNUC_UNUSED)
{
	g_auto(PvsRecord) record = {0};
	g_auto(PvsWriter) w = pvs_writer();
	PvsRecorded recorded = {.written = TRUE};

	g_assert_true(pvs_body_get(&message->body, pvs_record_fields, &record));
	g_assert_cmpuint(record.front, >=, 100);
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

static void trust_start(Trust *t, const PvsPki *pki, const char *rules)
{
	g_autofree char *trust_d = NULL, *root = NULL, *log = NULL;
	PvsTrustStart body = {.crl_size = 1 << 23, .crl_entries = 200000, .max_host_keys = 20};
	int mine, its = vault_channel_pair(&mine);

	t->root = g_dir_make_tmp("pvs-hostile-XXXXXX", NULL);
	trust_d = g_build_filename(t->root, "trust.d", NULL);
	root = g_build_filename(t->root, "root.crt", NULL);
	log = g_build_filename(t->root, "log", NULL);
	g_assert_cmpint(g_mkdir(trust_d, 0755), ==, 0);
	pvs_pki_install(pki, t->root);
	body.root_ca = root;
	body.trust_directory = trust_d;
	body.crl_directory = trust_d;
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

static void trust_end(Trust *t)
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
	};
	g_autofree char *log_path = g_build_filename(t->root, "log", NULL);
	g_autofree char *log = NULL;
	int status;

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

static void look_at_trusts(guint32 type, PvsReader body)
{
	g_auto(PvsVerified) verified = {0};

	switch (type) {
	case PVS_MESSAGE_VERIFIED:
		g_assert_true(pvs_body_get(&body, pvs_verified_fields, &verified));
		g_assert_cmpuint(verified.keys.n, >=, 1);
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

static void test_front_at_trust(gconstpointer data)
{
	const gboolean stranger = GPOINTER_TO_INT(data);
	PvsPki *pki = pvs_pki_new();
	EVP_PKEY *key = pvs_pki_ec("P-521");
	X509 *host = pvs_pki_host(pki, key);
	g_auto(PvsVerify) verify = {.slot = 7};
	g_auto(PvsExamine) examine = {0};
	PvsHostKey *keys = pvs_list_init(&verify.host_keys, PvsHostKey, 2);
	PvsBlob *certs = pvs_list_init(&verify.certs, PvsBlob, 1);
	PvsBlob *crls = pvs_list_init(&verify.crls, PvsBlob, 1);
	PvsAddFront claim = {.front = others_front, .uid = 0};
	Sample samples[7];
	Trust t = {0};
	Tally tally;
	guint n = 0;

	keys[0].document = pvs_pki_der(host);
	keys[1].document = pvs_pki_pem(host);
	certs[0].bytes = pvs_pki_der(pki->inter);
	crls[0].bytes = pvs_pki_crl_der(pki->signing_crl);
	examine.host_key.document = pvs_pki_der(host);
	genuine_tbs = tbs_of(host);
	trust_start(&t, pki, stranger ? HONEST_ALONE : RULE_ALL);
	samples[n++] = sample_of(PVS_MESSAGE_VERIFY, pvs_verify_fields, &verify);
	samples[n++] = sample_of(PVS_MESSAGE_VERIFY, pvs_verify_fields, &verify);
	samples[n++] = sample_of(PVS_MESSAGE_EXAMINE, pvs_examine_fields, &examine);
	g_clear_pointer(&examine.host_key.document, g_bytes_unref);
	examine.host_key.name = g_strdup("../host");
	samples[n++] = sample_of(PVS_MESSAGE_EXAMINE, pvs_examine_fields, &examine);
	samples[n++] = sample_of(PVS_MESSAGE_STORE, NULL, NULL);
	samples[n++] = sample_of(PVS_MESSAGE_ADD_FRONT, pvs_add_front_fields, &claim);
	samples[n++] = sample_of(PVS_MESSAGE_LINK, NULL, NULL);

	tally = attack(t.monitor, 100, samples, n, stranger ? look_for_refusals : look_at_trusts);
	g_test_message("%u answers, %u ends, %u grants", tally.answers, tally.ends, t.grants);
	g_assert_cmpuint(tally.answers, >, n_messages / 10);
	g_assert_cmpuint(tally.ends, >, n_messages / 10);
	/* Some changes hit nothing that matters: so the attacker does reach what it attacks. */
	if (stranger)
		g_assert_cmpuint(t.grants, ==, 0);
	else
		g_assert_cmpuint(t.grants, >, 0);
	vault_say(t.monitor, PVS_MESSAGE_PING, 5, NULL, NULL, -1);
	g_assert_cmpuint(vault_hear(t.monitor, PVS_MESSAGE_PONG, NULL, NULL), ==, 5);
	trust_end(&t);
	for (guint i = 0; i < n; i++)
		g_bytes_unref(samples[i].body);
	g_clear_pointer(&genuine_tbs, g_bytes_unref);
	X509_free(host);
	EVP_PKEY_free(key);
	pvs_pki_free(pki);
}

int main(int argc, char **argv)
{
	const char *messages = g_getenv("PVS_HOSTILE_MESSAGES");
	guint32 seed;
	int status;

	if (argc == 2 && strcmp(argv[1], "--vault") == 0)
		return pvs_role_main(&pvs_role_vault);
	if (argc == 2 && strcmp(argv[1], "--trust") == 0)
		return pvs_role_main(&pvs_role_trust);
	g_test_init(&argc, &argv, NULL);
	test_arena_init();
	if (messages)
		n_messages = (guint)CLAMP(g_ascii_strtoull(messages, NULL, 10), 100, 100000000);
	seed = (guint32)g_test_rand_int();
	dice = g_rand_new_with_seed(seed);
	g_test_message("%u messages each, seed %u", n_messages, seed);
	VAULT_TEST("/hostile/front-at-vault", NULL, test_front_at_vault);
	VAULT_TEST("/hostile/stranger-at-vault", HONEST_ALONE, test_front_at_vault);
	VAULT_TEST("/hostile/trust-at-vault", NULL, test_trust_at_vault);
	g_test_add_data_func("/hostile/front-at-trust", GINT_TO_POINTER(FALSE),
			     test_front_at_trust);
	g_test_add_data_func("/hostile/stranger-at-trust", GINT_TO_POINTER(TRUE),
			     test_front_at_trust);
	status = g_test_run();
	g_rand_free(dice);
	return status;
}
