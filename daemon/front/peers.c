/* SPDX-License-Identifier: MIT */
/*
 * peers.c - questions to the other processes, and their answers
 */
#include "daemon/front/peers.h"

#include "daemon/log.h"
#include "daemon/role.h"

typedef struct {
	PvsRole whom;
	PvsMessageType question;
	gpointer asker;
} Question;

/* What may answer what. */
static const struct {
	PvsMessageType question;
	PvsMessageType answer;
} fits[] = {
	{PVS_MESSAGE_VERIFY, PVS_MESSAGE_VERIFIED},
	{PVS_MESSAGE_VERIFY, PVS_MESSAGE_REFUSED},
	{PVS_MESSAGE_EXAMINE, PVS_MESSAGE_EXAMINED},
	{PVS_MESSAGE_EXAMINE, PVS_MESSAGE_REFUSED},
	{PVS_MESSAGE_CHECK, PVS_MESSAGE_CHECKED},
	{PVS_MESSAGE_CHECK, PVS_MESSAGE_REFUSED},
	{PVS_MESSAGE_STORE, PVS_MESSAGE_STORE_IS},
	{PVS_MESSAGE_STORE, PVS_MESSAGE_REFUSED},
	{PVS_MESSAGE_JUDGE, PVS_MESSAGE_ALLOWED},
	{PVS_MESSAGE_JUDGE, PVS_MESSAGE_REFUSED},
	{PVS_MESSAGE_BUILD, PVS_MESSAGE_BUILT},
	{PVS_MESSAGE_BUILD, PVS_MESSAGE_REFUSED},
	{PVS_MESSAGE_CCKS, PVS_MESSAGE_CCKS_ARE},
	{PVS_MESSAGE_CCKS, PVS_MESSAGE_REFUSED},
	{PVS_MESSAGE_COUNTERS, PVS_MESSAGE_COUNTERS_ARE},
	{PVS_MESSAGE_COUNTERS, PVS_MESSAGE_REFUSED},
	{PVS_MESSAGE_WORKERS, PVS_MESSAGE_WORKERS_ARE},
};

static const PvsPeersEvents *events;
static PvsChannel *monitor, *trust, *vault;
static GHashTable *questions; /* number -> Question */
static guint64 last_number;

void pvs_peers_init(PvsChannel *to_monitor, const PvsPeersEvents *peers_events)
{
	g_clear_pointer(&trust, pvs_channel_free);
	g_clear_pointer(&vault, pvs_channel_free);
	g_clear_pointer(&questions, g_hash_table_destroy);
	monitor = to_monitor;
	events = peers_events;
	questions = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
}

static gboolean fit(PvsMessageType question, PvsMessageType answer)
{
	for (gsize i = 0; i < G_N_ELEMENTS(fits); i++)
		if (fits[i].question == question && fits[i].answer == answer)
			return TRUE;
	return FALSE;
}

static void tell_if_quiet(void)
{
	if (g_hash_table_size(questions) == 0)
		events->quiet();
}

static gboolean answered(PvsRole from, PvsMessage *message)
{
	Question *found = g_hash_table_lookup(questions, &message->call);
	Question question;
	gboolean good;

	if (!found || found->whom != from || !fit(found->question, message->type))
		return FALSE;
	question = *found;
	/* First, since the answer may lead to the next question. */
	g_hash_table_remove(questions, &message->call);
	good = events->answered(question.asker, message->type, &message->body);
	if (!good)
		events->lost(question.asker);
	tell_if_quiet();
	return good;
}

static gboolean on_trust(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message,
			 gpointer user G_GNUC_UNUSED)
{
	return answered(PVS_ROLE_TRUST, message);
}

static gboolean on_vault(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message,
			 gpointer user G_GNUC_UNUSED)
{
	return answered(PVS_ROLE_VAULT, message);
}

gboolean pvs_peers_answer(PvsMessage *message)
{
	return answered(PVS_ROLE_MONITOR, message);
}

static gboolean is_of_pair(gpointer key G_GNUC_UNUSED, gpointer value, gpointer user)
{
	const Question *question = value;

	if (question->whom == PVS_ROLE_MONITOR)
		return FALSE;
	g_ptr_array_add(user, question->asker);
	return TRUE;
}

static void drop_pair(void)
{
	g_autoptr(GPtrArray) askers = g_ptr_array_new();

	g_clear_pointer(&trust, pvs_channel_free);
	g_clear_pointer(&vault, pvs_channel_free);
	/* Collected first: who is told may ask again. */
	g_hash_table_foreach_remove(questions, is_of_pair, askers);
	for (guint i = 0; i < askers->len; i++)
		events->lost(askers->pdata[i]);
}

/* One of the two is gone: what the other knows is of no use without it. The monitor sees a death by
 * itself and sends a new pair. One that broke the rules lives on, and nobody would send another:
 * then this process ends, and the monitor starts one that has new channels. */
static void on_closed(PvsChannel *channel G_GNUC_UNUSED, gboolean broken, gpointer user)
{
	PvsRole whom = GPOINTER_TO_INT(user);

	if (broken) {
		pvs_error("%s sent what it may not send", pvs_role_name(whom));
		pvs_role_quit(70);
	}
	drop_pair();
	tell_if_quiet();
}

void pvs_peers_replace(int trust_fd, int vault_fd)
{
	static const PvsHandlerRow trust_rows[] = {
		{PVS_MESSAGE_VERIFIED, on_trust}, {PVS_MESSAGE_EXAMINED, on_trust},
		{PVS_MESSAGE_CHECKED, on_trust},  {PVS_MESSAGE_STORE_IS, on_trust},
		{PVS_MESSAGE_REFUSED, on_trust},  {0, NULL},
	};
	static const PvsHandlerRow vault_rows[] = {
		{PVS_MESSAGE_ALLOWED, on_vault},  {PVS_MESSAGE_BUILT, on_vault},
		{PVS_MESSAGE_CCKS_ARE, on_vault}, {PVS_MESSAGE_COUNTERS_ARE, on_vault},
		{PVS_MESSAGE_REFUSED, on_vault},  {0, NULL},
	};

	drop_pair();
	trust = pvs_channel_new(trust_fd, PVS_ROLE_FRONT, PVS_ROLE_TRUST, trust_rows, on_closed,
				GINT_TO_POINTER(PVS_ROLE_TRUST));
	vault = pvs_channel_new(vault_fd, PVS_ROLE_FRONT, PVS_ROLE_VAULT, vault_rows, on_closed,
				GINT_TO_POINTER(PVS_ROLE_VAULT));
	events->arrived();
}

gboolean pvs_peers_present(void)
{
	return trust && vault;
}

guint pvs_peers_outstanding(void)
{
	return g_hash_table_size(questions);
}

void pvs_peers_ask(PvsRole whom, PvsMessageType question, const PvsWriter *body, gpointer asker)
{
	PvsChannel *channel = whom == PVS_ROLE_MONITOR ? monitor
			      : whom == PVS_ROLE_TRUST ? trust
						       : vault;
	guint64 *number = g_new(guint64, 1);
	Question *entry = g_new(Question, 1);

	g_assert(channel);
	*number = ++last_number;
	*entry = (Question){.whom = whom, .question = question, .asker = asker};
	g_hash_table_insert(questions, number, entry);
	pvs_channel_send(channel, question, last_number, body, NULL);
}
