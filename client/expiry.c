/* SPDX-License-Identifier: MIT */
/*
 * expiry.c - what ends sooner than --warn-days allows
 */
#include "client/expiry.h"

#include "client/failure.h"

enum { DAYS_MAX = 36500, DAY = 24 * 60 * 60 };

#define INSTALL "have its successor installed, and reload the daemon"

gboolean pvs_expiry_start(const PvsArguments *arguments, PvsExpiry *expiry, GError **error)
{
	guint64 days;

	*expiry = (PvsExpiry){
		.limit = -1,
		.now = g_get_real_time() / G_USEC_PER_SEC,
		.earliest = G_MAXINT64,
	};
	if (!arguments->warn_days)
		return TRUE;
	if (!g_ascii_string_to_unsigned(arguments->warn_days, 10, 0, DAYS_MAX, &days, NULL))
		return pvs_failure(error, PVS_EXIT_USAGE, "for example --warn-days 30",
				   "--warn-days %s: not a number of days (0 to %d)",
				   arguments->warn_days, DAYS_MAX);
	expiry->limit = expiry->now + (gint64)days * DAY;
	return TRUE;
}

void pvs_expiry_clear(PvsExpiry *expiry)
{
	g_clear_pointer(&expiry->what, g_free);
	g_clear_pointer(&expiry->when, g_free);
}

void pvs_expiry_see(PvsExpiry *expiry, const char *what, const char *until)
{
	g_autoptr(GDateTime) time = until ? g_date_time_new_from_iso8601(until, NULL) : NULL;
	gint64 seconds;

	if (!time || expiry->limit < 0)
		return;
	seconds = g_date_time_to_unix(time);
	if (seconds < expiry->limit)
		expiry->soon++;
	if (seconds >= expiry->earliest)
		return;
	pvs_expiry_clear(expiry);
	expiry->earliest = seconds;
	expiry->what = g_strdup(what);
	expiry->when = g_strdup(until);
}

gboolean pvs_expiry_judge(const PvsExpiry *expiry, GError **error)
{
	g_autofree char *more = NULL;
	gboolean over = expiry->earliest <= expiry->now;

	if (expiry->limit < 0 || expiry->soon == 0)
		return TRUE;
	more = expiry->soon > 1 ? g_strdup_printf(" (and %u more)", expiry->soon - 1)
				: g_strdup("");
	return pvs_failure(error, over ? PVS_EXIT_FAILED : PVS_EXIT_SOON, INSTALL, "%s: %s %s%s",
			   expiry->what, over ? "expired" : "expires", expiry->when, more);
}
