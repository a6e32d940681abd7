/* SPDX-License-Identifier: MIT */
/*
 * stage-check.c - what trust says of a request's user data, played by the test
 */
#include "tests/unit/stage.h"

gboolean stage_on_check(PvsChannel *channel G_GNUC_UNUSED, PvsMessage *message, gpointer user)
{
	Stage *stage = user;
	g_auto(PvsCheck) body = {.request = NULL};
	g_auto(PvsChecked) said = {PVS_USER_DATA_RSA_3072, g_bytes_new_static("user data", 9)};

	g_assert_true(pvs_body_get(&message->body, pvs_check_fields, &body));
	stage->examines++;
	stage_say(&stage->trust, PVS_MESSAGE_CHECKED, message->call, pvs_checked_fields, &said);
	return TRUE;
}
