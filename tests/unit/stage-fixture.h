/* SPDX-License-Identifier: MIT */
/*
 * stage-fixture.h - a stage with one client on it, for the tests of the front; see stage.h
 */
#pragma once

#include "tests/unit/stage.h"

/* A ping as JSON text, and what of it comes after the first brace. */
#define REST(id) "\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"ping\"}"
#define PING(id) "{" REST(id)

typedef struct {
	Stage stage;
	Client *client;
} Fixture;

/* For g_test_add(); @data is nothing to them. The small one has limits that are reached soon. */
void fixture_set_up(Fixture *f, gconstpointer data);
void fixture_set_up_small(Fixture *f, gconstpointer data);
void fixture_tear_down(Fixture *f, gconstpointer data);

/* The client's calls; @id and @params are JSON text, @document is any text. */
void fixture_call(Fixture *f, const char *id, const char *method, const char *params);
void fixture_create(Fixture *f, const char *id, const char *document);
/* The next answer is a result with this id, whatever it is. */
void fixture_expect_result(Fixture *f, const char *id);
