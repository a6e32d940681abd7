/* SPDX-License-Identifier: MIT */
/*
 * stage-fixture.c - a stage with one client on it
 */
#include "tests/unit/stage-fixture.h"

void fixture_set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	stage_init(&f->stage);
	stage_open(&f->stage);
	f->client = client_new(&f->stage);
}

void fixture_set_up_small(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	stage_init(&f->stage);
	f->stage.start.calls = 2;
	f->stage.start.message_size = 16384;
	f->stage.start.depth = 8;
	f->stage.start.tokens = 64;
	f->stage.start.batch_size = 3;
	f->stage.start.receive_sec = 1;
	f->stage.start.reply_sec = 1;
	f->stage.start.idle_sec = 1;
	stage_open(&f->stage);
	f->client = client_new(&f->stage);
}

void fixture_tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_clear_pointer(&f->client, client_free);
	stage_close(&f->stage);
}

void fixture_call(Fixture *f, const char *id, const char *method, const char *params)
{
	g_autofree char *text =
		g_strdup_printf("{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"%s\",\"params\":%s}",
				id, method, params);

	client_send(f->client, text);
}

void fixture_create(Fixture *f, const char *id, const char *document)
{
	g_autofree char *text = text_create(id, document, NULL);

	client_send(f->client, text);
}

void fixture_expect_result(Fixture *f, const char *id)
{
	json_object_unref(client_expect_result(f->client, id));
}
