/* SPDX-License-Identifier: MIT */
/*
 * identity.h - who a client is, as the kernel says
 *
 * At the time when it connected: uid, gid and supplementary groups of the process that called
 * connect(2). Nothing that a client sends is part of it.
 */
#pragma once

#include <glib.h>

enum { PVS_IDENTITY_GROUPS_MAX = 1024 }; /* supplementary; Linux allows 65536 */

typedef struct {
	guint32 uid;
	guint32 gid;
	guint32 *groups; /* sorted, each once; owned */
	guint n_groups;
	guint32 pid; /* of that process; 0: not told. No part of who it is: a number is used again
		      */
} PvsIdentity;

/* SO_PEERCRED and SO_PEERGROUPS of a connected UNIX socket. NULL where the kernel does not say, for
 * an identity that has no name here: uid or gid 65534 or -1, which stand for "somebody else's user
 * namespace", and for one with more than PVS_IDENTITY_GROUPS_MAX groups. Who is not known is not
 * served. */
PvsIdentity *pvs_identity_of(int fd);
void pvs_identity_free(PvsIdentity *identity);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsIdentity, pvs_identity_free)

gboolean pvs_identity_equal(const PvsIdentity *a, const PvsIdentity *b);
