/* SPDX-License-Identifier: MIT */
/*
 * survey.c - what is installed, looked at over and over: for the log, and for who asks
 */
#include "daemon/trust/survey.h"

#include "daemon/log.h"
#include "daemon/trust/inventory.h"

enum {
	TICK_SEC = 600,	      /* between two looks at what expires */
	INVENTORY_AGE = 2,    /* seconds that one serves */
	INVENTORY_SHARE = 20, /* and so many times as long as it took */
};

typedef struct {
	PvsSurveyAnswer answer;
	gpointer user;
} Asker;

struct PvsSurvey {
	PvsCourt *court;  /* not owned */
	GPtrArray *names; /* of all documents; not owned */
	guint next;
	guint step;    /* the source: a round is under way */
	gboolean log;  /* at the end of it */
	GQueue askers; /* of Asker */
	guint ticker;
	GHashTable *said;    /* what the log has and still is so */
	PvsWriter inventory; /* STORE_IS */
	gint64 taken, took;  /* when, and how long it took */
};

PvsSurvey *pvs_survey_new(PvsCourt *court)
{
	PvsSurvey *s = g_new0(PvsSurvey, 1);

	s->court = court;
	s->names = pvs_store_host_key_names(pvs_court_store(court));
	s->said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	s->inventory = pvs_writer();
	g_queue_init(&s->askers);
	return s;
}

void pvs_survey_free(PvsSurvey *s)
{
	if (!s)
		return;
	g_clear_handle_id(&s->step, g_source_remove);
	g_clear_handle_id(&s->ticker, g_source_remove);
	g_queue_clear_full(&s->askers, g_free);
	g_ptr_array_unref(s->names);
	g_hash_table_unref(s->said);
	pvs_writer_clear(&s->inventory);
	g_free(s);
}

static void log_news(PvsSurvey *s)
{
	g_autoptr(GPtrArray) warnings = pvs_inventory_warnings(s->court);
	GHashTable *now = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < warnings->len; i++) {
		if (!g_hash_table_contains(s->said, warnings->pdata[i]))
			pvs_warning("%s", (const char *)warnings->pdata[i]);
		g_hash_table_add(now, g_strdup(warnings->pdata[i]));
	}
	g_hash_table_unref(s->said);
	s->said = now;
}

static gboolean is_fresh(const PvsSurvey *s)
{
	return s->inventory.size > 0 &&
	       g_get_monotonic_time() - s->taken <
		       MAX(INVENTORY_AGE * G_USEC_PER_SEC, INVENTORY_SHARE * s->took);
}

/* What there is may be a lot to write down, so not anew for everybody who asks. */
static const PvsWriter *take_inventory(PvsSurvey *s)
{
	gint64 now = g_get_monotonic_time();
	g_auto(PvsStoreIs) body = {{NULL, 0}, {NULL, 0}};

	if (is_fresh(s))
		return &s->inventory;
	pvs_inventory_take(s->court, &body);
	pvs_writer_clear(&s->inventory);
	s->inventory = pvs_writer();
	pvs_body_put(&s->inventory, pvs_store_is_fields, &body);
	s->taken = g_get_monotonic_time();
	s->took = s->taken - now;
	return &s->inventory;
}

static void finish(PvsSurvey *s)
{
	Asker *asker;

	s->step = 0;
	if (s->log)
		log_news(s);
	s->log = FALSE;
	while ((asker = g_queue_pop_head(&s->askers))) {
		asker->answer(take_inventory(s), asker->user);
		g_free(asker);
	}
}

/* One document that was not known; those that are cost nothing. */
static gboolean on_step(gpointer data)
{
	PvsSurvey *s = data;
	guint64 reached = pvs_court_reached(s->court);

	while (s->next < s->names->len && pvs_court_reached(s->court) == reached)
		pvs_inventory_look_at(s->court, s->names->pdata[s->next++]);
	if (s->next < s->names->len)
		return G_SOURCE_CONTINUE;
	finish(s);
	return G_SOURCE_REMOVE;
}

/* At the priority of the channels: by turns with who calls, and not put off by many who do. */
static void start_round(PvsSurvey *s)
{
	if (s->step)
		return;
	s->next = 0;
	s->step = g_idle_add_full(G_PRIORITY_DEFAULT, on_step, s, NULL);
}

static gboolean on_tick(gpointer data)
{
	PvsSurvey *s = data;
	g_autoptr(GError) error = NULL;

	pvs_court_tick(s->court, &error);
	if (error)
		pvs_error("%s", error->message);
	s->log = TRUE;
	start_round(s);
	return G_SOURCE_CONTINUE;
}

void pvs_survey_begin(PvsSurvey *s)
{
	on_tick(s);
	s->ticker = g_timeout_add_seconds(TICK_SEC, on_tick, s);
}

gboolean pvs_survey_has_begun(const PvsSurvey *s)
{
	return s->ticker != 0;
}

void pvs_survey_ask(PvsSurvey *s, PvsSurveyAnswer answer, gpointer user)
{
	Asker *asker;

	if (is_fresh(s)) {
		answer(&s->inventory, user);
		return;
	}
	asker = g_new0(Asker, 1);
	*asker = (Asker){answer, user};
	g_queue_push_tail(&s->askers, asker);
	start_round(s);
}

void pvs_survey_check(PvsCourt *court)
{
	g_autoptr(PvsSurvey) survey = pvs_survey_new(court);

	pvs_court_set_marks(court, pvs_marks_new(-1, NULL));
	log_news(survey);
}
