/* SPDX-License-Identifier: MIT */
/*
 * trust-process.h - trust as a process, with the test in the place of the monitor and the vault
 *
 * main() calls pvs_role_main(&pvs_role_trust) where its argument is "--trust".
 */
#pragma once

#include "tests/pki/pki.h"
#include "tests/unit/vault-process.h"

typedef struct {
	char *root;
	GPid pid;
	End *monitor;
	PvsChannel *vault; /* the test is the vault */
	guint grants;
	guint records;
	PvsRecord last; /* of the records; without its texts and lists */
	guint last_documents;
	gboolean loose; /* its rules allow unverified host keys */
	guint unverified;
	GBytes *large;	     /* an installed document; NULL: none */
	GBytes *genuine_tbs; /* the to-be-signed part of the only document that may be granted */
} Trust;

/* Starts it with what @pki installs and @rules; what is set in @t before holds. */
void trust_start(Trust *t, const PvsPki *pki, const char *rules);

/* It ends well, and has said nothing critical. */
void trust_end(Trust *t);
