/* SPDX-License-Identifier: MIT */
/*
 * shares.c - how many calls may be on their way in trust or the vault: in all, and of one user
 */
#include "daemon/shares.h"

typedef struct {
	guint32 uid;
	guint fronts;
	guint calls;
	gsize bytes;
} Share;

struct PvsShares {
	guint all;
	guint per_user;
	guint calls;
	gsize bytes_max;
	gsize bytes;
	void (*pause)(gpointer front, gboolean paused);
	GPtrArray *users; /* of Share: as few as there are users with fronts */
	GQueue fronts;	  /* of PvsSharer: who was served the longest ago is first */
};

struct PvsSharer {
	PvsShares *shares;
	Share *share;
	gpointer front;
	guint calls;
	gboolean paused;
	GList link; /* in shares->fronts, until it leaves */
	gboolean left;
};

PvsShares *pvs_shares_new(guint all, guint per_user, void (*pause)(gpointer front, gboolean paused))
{
	PvsShares *shares = g_new0(PvsShares, 1);

	shares->all = MAX(all, 1);
	shares->per_user = CLAMP(per_user, 1, MAX(all * 3 / 4, 1));
	shares->bytes_max = G_MAXSIZE;
	shares->pause = pause;
	shares->users = g_ptr_array_new_with_free_func(g_free);
	g_queue_init(&shares->fronts);
	return shares;
}

void pvs_shares_limit_bytes(PvsShares *shares, gsize bytes)
{
	shares->bytes_max = bytes;
}

void pvs_shares_free(PvsShares *shares)
{
	g_assert(shares->users->len == 0);
	g_ptr_array_unref(shares->users);
	g_free(shares);
}

static Share *share_of(PvsShares *shares, guint32 uid)
{
	Share *share;

	for (guint i = 0; i < shares->users->len; i++) {
		share = shares->users->pdata[i];
		if (share->uid == uid)
			return share;
	}
	share = g_new0(Share, 1);
	share->uid = uid;
	g_ptr_array_add(shares->users, share);
	return share;
}

/* Tells those fronts for which something changed. Few can be waiting, or the pass is short: a front
 * for each identity that is connected. */
static void settle(PvsShares *shares)
{
	GList *next;

	for (GList *l = shares->fronts.head; l; l = next) {
		PvsSharer *sharer = l->data;
		gboolean paused = shares->calls >= shares->all ||
				  sharer->share->calls >= shares->per_user ||
				  shares->bytes >= shares->bytes_max ||
				  sharer->share->bytes >= shares->bytes_max / 4 * 3;

		next = l->next;
		if (paused == sharer->paused)
			continue;
		sharer->paused = paused;
		shares->pause(sharer->front, paused);
	}
}

PvsSharer *pvs_sharer_new(PvsShares *shares, guint32 uid, gpointer front)
{
	PvsSharer *sharer = g_new0(PvsSharer, 1);

	sharer->shares = shares;
	sharer->share = share_of(shares, uid);
	sharer->share->fronts++;
	sharer->front = front;
	sharer->link.data = sharer;
	g_queue_push_head_link(&shares->fronts, &sharer->link);
	settle(shares);
	return sharer;
}

void pvs_sharer_leave(PvsSharer *sharer)
{
	if (sharer->left)
		return;
	sharer->left = TRUE;
	g_queue_unlink(&sharer->shares->fronts, &sharer->link);
}

void pvs_sharer_free(PvsSharer *sharer)
{
	g_assert(sharer->calls == 0);
	pvs_sharer_leave(sharer);
	if (--sharer->share->fronts == 0)
		g_ptr_array_remove_fast(sharer->shares->users, sharer->share);
	g_free(sharer);
}

void pvs_sharer_begin(PvsSharer *sharer)
{
	sharer->calls++;
	sharer->share->calls++;
	sharer->shares->calls++;
	if (!sharer->left) {
		g_queue_unlink(&sharer->shares->fronts, &sharer->link);
		g_queue_push_tail_link(&sharer->shares->fronts, &sharer->link);
	}
	settle(sharer->shares);
}

void pvs_sharer_end(PvsSharer *sharer)
{
	sharer->calls--;
	sharer->share->calls--;
	sharer->shares->calls--;
	settle(sharer->shares);
}

void pvs_sharer_hold(PvsSharer *sharer, gsize bytes)
{
	sharer->share->bytes += bytes;
	sharer->shares->bytes += bytes;
	settle(sharer->shares);
}

void pvs_sharer_release(PvsSharer *sharer, gsize bytes)
{
	sharer->share->bytes -= bytes;
	sharer->shares->bytes -= bytes;
	settle(sharer->shares);
}

guint pvs_sharer_calls(const PvsSharer *sharer)
{
	return sharer->calls;
}
