/* SPDX-License-Identifier: MIT */
/*
 * results.h - what the other processes answered, as results of the API (pvsecretd-protocol(7))
 */
#pragma once

#include <json-glib/json-glib.h>

#include "policy/access.h"
#include "protocol/api.h"

/* All return a new node. */
JsonNode *pvs_result_empty(void);
/* @type: of the secret, PvsSecretType. */
JsonNode *pvs_result_request(const PvsParams *params, guint type, const PvsVerified *verified,
			     const PvsBuilt *built);
JsonNode *pvs_result_examined(const PvsExamined *examined);
JsonNode *pvs_result_checked(const PvsChecked *checked);
/* @request is one that pvs_request_view() takes. */
JsonNode *pvs_result_described(GBytes *request);
JsonNode *pvs_result_ccks(const PvsCcksAre *ccks);
JsonNode *pvs_result_access(const PvsAddFront *identity, const PvsAccess *access);

/* @started: of the daemon, g_get_monotonic_time(). */
JsonNode *pvs_result_status(gint64 started, const PvsWorkersAre *workers, const PvsStoreIs *store,
			    const PvsCountersAre *counters);
