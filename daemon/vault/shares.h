/* SPDX-License-Identifier: MIT */
/*
 * shares.h - how many calls may be on their way in the vault, and how much of key memory may be
 * taken by what clients gave: in all, and of one user
 *
 * A user's fronts (one for each set of groups) have one share together. Where a share or the whole
 * is used up, the fronts concerned are not read until a call has its answer; then they are read in
 * the order in which they were served last, so nobody is passed over. Main loop only.
 */
#pragma once

#include <glib.h>

typedef struct PvsShares PvsShares;
typedef struct PvsSharer PvsSharer; /* one front */

typedef struct {
	guint calls;		/* in all, 1 or more */
	guint calls_per_user;	/* no user gets more than three quarters of all */
	gsize secrets;		/* bytes, in all; never exceeded */
	gsize secret_max;	/* bytes of one call's, the most that there are */
	gsize secrets_per_user; /* bytes; who has as many begins no other call */
} PvsShareLimits;

/* @pause is called with a front whenever it is to be read no more, or again. @limits is copied. */
PvsShares *pvs_shares_new(const PvsShareLimits *limits,
			  void (*pause)(gpointer front, gboolean paused));

/* After its last sharer. */
void pvs_shares_free(PvsShares *shares);

/* @front is what pause() is called with, from here on and before pvs_sharer_free(). */
PvsSharer *pvs_sharer_new(PvsShares *shares, guint32 uid, gpointer front);

/* pause() is not called for it any more; its calls still count until each has ended. */
void pvs_sharer_leave(PvsSharer *sharer);

/* After pvs_sharer_leave() and the end of its calls. */
void pvs_sharer_free(PvsSharer *sharer);

/* A call begins; it ends. */
void pvs_sharer_begin(PvsSharer *sharer);
void pvs_sharer_end(PvsSharer *sharer);

/* What a call has in key memory was @old bytes, and is @new ones now. */
void pvs_sharer_secrets(PvsSharer *sharer, gsize old, gsize new);

/* Calls on their way. */
guint pvs_sharer_calls(const PvsSharer *sharer);
