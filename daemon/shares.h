/* SPDX-License-Identifier: MIT */
/*
 * shares.h - how many calls may be on their way in trust or the vault, and how much of the arena
 * their secrets may take: in all, and of one user
 *
 * A user's fronts (one for each set of groups) have one share together. Where a share or the whole
 * is used up, the fronts concerned are not read until a call has its answer; then they are read in
 * the order in which they were served last, so nobody is passed over. Main loop only.
 */
#pragma once

#include <glib.h>

typedef struct PvsShares PvsShares;
typedef struct PvsSharer PvsSharer; /* one front */

/* @pause is called with a front whenever it is to be read no more, or again. No user gets more than
 * three quarters of @all (1 or more), whatever @per_user says. */
PvsShares *pvs_shares_new(guint all, guint per_user,
			  void (*pause)(gpointer front, gboolean paused));

/* Limits also the bytes of secrets that calls hold (pvs_sharer_hold()): to @bytes in all, and three
 * quarters of it for a user. As a front is read until it is over, one more secret may come on top.
 */
void pvs_shares_limit_bytes(PvsShares *shares, gsize bytes);

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

/* A call of it holds so many bytes of secrets; it does not any more. */
void pvs_sharer_hold(PvsSharer *sharer, gsize bytes);
void pvs_sharer_release(PvsSharer *sharer, gsize bytes);

/* Calls on their way. */
guint pvs_sharer_calls(const PvsSharer *sharer);
