/* SPDX-License-Identifier: MIT */
/*
 * survey.h - what is installed, looked at over and over: for the log, and for who asks
 *
 * Each installed document has to be judged for it, and there may be a thousand. So they are taken
 * one at a time, and between two of them whoever calls is served.
 */
#pragma once

#include "daemon/trust/court.h"
#include "protocol/wire.h"

typedef struct PvsSurvey PvsSurvey;

/* STORE_IS, lent for the call. */
typedef void (*PvsSurveyAnswer)(const PvsWriter *store_is, gpointer user);

PvsSurvey *pvs_survey_new(PvsCourt *court);
void pvs_survey_free(PvsSurvey *survey);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsSurvey, pvs_survey_free)

/* From now on, and every ten minutes: marks what CRLs are seen, and logs what is wrong or will be
 * soon, once for as long as it is so. Not twice. */
void pvs_survey_begin(PvsSurvey *survey);
gboolean pvs_survey_has_begun(const PvsSurvey *survey);

/* @answer is called once everything has been looked at, which may be at once. */
void pvs_survey_ask(PvsSurvey *survey, PvsSurveyAnswer answer, gpointer user);

/* Logs everything that there is to warn of, now: where nobody waits for anything else. What was
 * seen before is not asked. */
void pvs_survey_check(PvsCourt *court);
