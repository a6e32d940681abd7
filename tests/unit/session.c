/* SPDX-License-Identifier: MIT */
/*
 * session.c - a store and who judges by it, from one reload to the next, with a clock of the test's
 * own
 */
#include "tests/unit/session.h"

#include <string.h>

#include "daemon/trust/inventory.h"

gint64 session_time;
X509 *session_host;
GBytes *session_document;
const guint8 session_nothing[32] = {1};

gint64 session_clock(void)
{
	return session_time;
}

void session_start(void)
{
	world_start();
	session_host = pvs_pki_host(world_pki, world_host_key);
	session_document = pvs_pki_pem(session_host);
}

void session_end(void)
{
	g_bytes_unref(session_document);
	X509_free(session_host);
	world_end();
}

void session_clear(Session *session)
{
	g_clear_pointer(&session->court, pvs_court_free);
	g_clear_pointer(&session->store, pvs_store_free);
}

void session_load(Session *session, World *world)
{
	session_clear(session);
	session->store = world_load(world);
	session->court = pvs_court_new(session->store, session_clock);
	pvs_court_set_marks(session->court, pvs_marks_new(-1, NULL));
	pvs_court_tick(session->court, NULL);
}

const char *session_judge(Session *session)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(PvsVerdict) verdict = pvs_court_judge(session->court, session_document, NULL,
							NULL, session_nothing, &error);

	g_assert_true((verdict == NULL) == (error != NULL));
	return verdict ? NULL : pvs_error_reason((PvsError)error->code);
}

gboolean session_says(Session *session, const char *text)
{
	g_autoptr(GPtrArray) warnings = pvs_inventory_warnings(session->court);

	for (guint i = 0; i < warnings->len; i++)
		if (strstr(warnings->pdata[i], text))
			return TRUE;
	return FALSE;
}

void session_put_crl(World *world, const char *name, int from, int until)
{
	PvsPkiCrl spec = world_signing_crl_spec();

	spec.from = from * WORLD_DAY;
	spec.until = until * WORLD_DAY;
	world_put_crl_of(world, name, &spec);
}
