/* SPDX-License-Identifier: MIT */
/*
 * message.c - every message between two processes of the daemon, in one list
 */
#include "protocol/message.h"

typedef struct {
	const char *name;
	guint askers; /* PvsRole, one or more */
	guint answerers;
	gsize cap;
	guint fds;
	gboolean secret;
} Row;

static const Row rows[PVS_MESSAGE_LAST_] = {
#define ROW(name, asker, answerer, cap, fds, secret) \
	[PVS_MESSAGE_##name] = {#name, asker, answerer, cap, fds, secret},
	PVS_MESSAGES(ROW)
#undef ROW
};

static const Row *row(PvsMessageType type)
{
	g_assert(type > PVS_MESSAGE_NONE_ && type < PVS_MESSAGE_LAST_);
	return &rows[type];
}

const char *pvs_message_name(PvsMessageType type)
{
	return row(type)->name;
}

gsize pvs_message_cap(PvsMessageType type)
{
	return row(type)->cap;
}

guint pvs_message_fds(PvsMessageType type)
{
	return row(type)->fds;
}

gboolean pvs_message_secret(PvsMessageType type)
{
	return row(type)->secret;
}

gboolean pvs_message_permitted(guint32 type, PvsRole from, PvsRole to)
{
	if (type <= PVS_MESSAGE_NONE_ || type >= PVS_MESSAGE_LAST_)
		return FALSE;
	return (rows[type].askers & from) && (rows[type].answerers & to);
}

const char *pvs_role_name(PvsRole role)
{
	switch (role) {
	case PVS_ROLE_MONITOR:
		return "monitor";
	case PVS_ROLE_FRONT:
		return "front";
	case PVS_ROLE_TRUST:
		return "trust";
	case PVS_ROLE_VAULT:
		return "vault";
	default:
		g_assert_not_reached();
	}
}
