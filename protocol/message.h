/* SPDX-License-Identifier: MIT */
/*
 * message.h - every message between two processes of the daemon, in one list
 *
 * The list is the process graph: who may say what to whom, how long it may be, how many descriptors
 * come with it. A channel accepts a message only where the row names its two ends in that
 * direction; everything else means that the sender is broken or was taken over.
 *
 * A frame is 16 bytes, type (32 bits), length of the body (32 bits), call (64 bits), then the body.
 * An answer carries the call of its question. Layouts of bodies are described where they are
 * written and read: beside each row's decoder in messages of the same name.
 */
#pragma once

#include <glib.h>

typedef enum {
	PVS_ROLE_MONITOR = 1 << 0,
	PVS_ROLE_FRONT = 1 << 1,
	PVS_ROLE_TRUST = 1 << 2,
	PVS_ROLE_VAULT = 1 << 3,
} PvsRole;

#define PVS_WORKERS (PVS_ROLE_FRONT | PVS_ROLE_TRUST | PVS_ROLE_VAULT)
#define PVS_BACK    (PVS_ROLE_TRUST | PVS_ROLE_VAULT)

enum {
	PVS_KIB = 1024,
	PVS_MIB = 1024 * 1024,
};

/* A secret may stand in the body: it is read into and written from locked memory only. */
#define PVS_SECRET TRUE
#define PVS_PUBLIC FALSE

/* clang-format off */
/*	  name             asker               answerer            cap            fds  secret */
#define PVS_MESSAGES(X) \
	/* A worker's life. */ \
	X(START,           PVS_ROLE_MONITOR,   PVS_WORKERS,        PVS_MIB,       0,   PVS_PUBLIC) \
	X(READY,           PVS_WORKERS,        PVS_ROLE_MONITOR,   4 * PVS_KIB,   0,   PVS_PUBLIC) \
	X(FAILED,          PVS_WORKERS,        PVS_ROLE_MONITOR,   256 * PVS_KIB, 0,   PVS_PUBLIC) \
	X(SERVED,          PVS_BACK,           PVS_ROLE_MONITOR,   0,             0,   PVS_PUBLIC) \
	X(PING,            PVS_ROLE_MONITOR,   PVS_WORKERS,        0,             0,   PVS_PUBLIC) \
	X(PONG,            PVS_WORKERS,        PVS_ROLE_MONITOR,   0,             0,   PVS_PUBLIC) \
	/* Who speaks on which channel: only the monitor says so. */ \
	X(LINK,            PVS_ROLE_MONITOR,   PVS_BACK,           64,            1,   PVS_PUBLIC) \
	X(AUDIT,           PVS_ROLE_MONITOR,   PVS_ROLE_VAULT,     64,            2,   PVS_PUBLIC) \
	X(MARKS,           PVS_ROLE_MONITOR,   PVS_ROLE_TRUST,     0,             1,   PVS_PUBLIC) \
	X(ADD_FRONT,       PVS_ROLE_MONITOR,   PVS_BACK,           512 * PVS_KIB, 1,   PVS_PUBLIC) \
	X(ACCESS,          PVS_ROLE_MONITOR,   PVS_ROLE_FRONT,     2 * PVS_MIB,   0,   PVS_PUBLIC) \
	X(PEERS,           PVS_ROLE_MONITOR,   PVS_ROLE_FRONT,     64,            2,   PVS_PUBLIC) \
	X(CONNECTION,      PVS_ROLE_MONITOR,   PVS_ROLE_FRONT,     64,            1,   PVS_PUBLIC) \
	X(CLOSED,          PVS_ROLE_FRONT,     PVS_ROLE_MONITOR,   64,            0,   PVS_PUBLIC) \
	/* A front broke the rules: its end is the monitor's to bring about. */ \
	X(ACCUSED,         PVS_BACK,           PVS_ROLE_MONITOR,   64,            0,   PVS_PUBLIC) \
	/* Swapping trust and vault: hold new calls, say when none is on its way. */ \
	X(HOLD,            PVS_ROLE_MONITOR,   PVS_ROLE_FRONT,     0,             0,   PVS_PUBLIC) \
	X(HELD,            PVS_ROLE_FRONT,     PVS_ROLE_MONITOR,   0,             0,   PVS_PUBLIC) \
	/* What the monitor knows, for get_status. */ \
	X(WORKERS,         PVS_ROLE_FRONT,     PVS_ROLE_MONITOR,   0,             0,   PVS_PUBLIC) \
	X(WORKERS_ARE,     PVS_ROLE_MONITOR,   PVS_ROLE_FRONT,     64 * PVS_KIB,  0,   PVS_PUBLIC) \
	/* A front and trust. */ \
	X(VERIFY,          PVS_ROLE_FRONT,     PVS_ROLE_TRUST,     2 * PVS_MIB,   0,   PVS_PUBLIC) \
	X(VERIFIED,        PVS_ROLE_TRUST,     PVS_ROLE_FRONT,     512 * PVS_KIB, 0,   PVS_PUBLIC) \
	X(EXAMINE,         PVS_ROLE_FRONT,     PVS_ROLE_TRUST,     2 * PVS_MIB,   0,   PVS_PUBLIC) \
	X(EXAMINED,        PVS_ROLE_TRUST,     PVS_ROLE_FRONT,     256 * PVS_KIB, 0,   PVS_PUBLIC) \
	X(CHECK,           PVS_ROLE_FRONT,     PVS_ROLE_TRUST,     2 * PVS_MIB,   0,   PVS_PUBLIC) \
	X(CHECKED,         PVS_ROLE_TRUST,     PVS_ROLE_FRONT,     4 * PVS_KIB,   0,   PVS_PUBLIC) \
	X(STORE,           PVS_ROLE_FRONT,     PVS_ROLE_TRUST,     0,             0,   PVS_PUBLIC) \
	X(STORE_IS,        PVS_ROLE_TRUST,     PVS_ROLE_FRONT,     PVS_MIB,       0,   PVS_PUBLIC) \
	X(REFUSED,         PVS_BACK,           PVS_ROLE_FRONT,     8 * PVS_KIB,   0,   PVS_PUBLIC) \
	/* Trust and the vault: what a front's channel may encrypt for. */ \
	X(GRANT,           PVS_ROLE_TRUST,     PVS_ROLE_VAULT,     2 * PVS_MIB,   0,   PVS_PUBLIC) \
	X(GRANTED,         PVS_ROLE_VAULT,     PVS_ROLE_TRUST,     8 * PVS_KIB,   0,   PVS_PUBLIC) \
	/* What trust said no to, or only looked at, is put on record before the answer. */ \
	X(RECORD,          PVS_ROLE_TRUST,     PVS_ROLE_VAULT,     64 * PVS_KIB,  0,   PVS_PUBLIC) \
	X(RECORDED,        PVS_ROLE_VAULT,     PVS_ROLE_TRUST,     64,            0,   PVS_PUBLIC) \
	/* A front and the vault. */ \
	X(JUDGE,           PVS_ROLE_FRONT,     PVS_ROLE_VAULT,     16 * PVS_KIB,  0,   PVS_PUBLIC) \
	X(ALLOWED,         PVS_ROLE_VAULT,     PVS_ROLE_FRONT,     0,             0,   PVS_PUBLIC) \
	X(BUILD,           PVS_ROLE_FRONT,     PVS_ROLE_VAULT,     16 * PVS_KIB,  0,   PVS_SECRET) \
	X(BUILT,           PVS_ROLE_VAULT,     PVS_ROLE_FRONT,     64 * PVS_KIB,  0,   PVS_PUBLIC) \
	X(CCKS,            PVS_ROLE_FRONT,     PVS_ROLE_VAULT,     0,             0,   PVS_PUBLIC) \
	X(CCKS_ARE,        PVS_ROLE_VAULT,     PVS_ROLE_FRONT,     512 * PVS_KIB, 0,   PVS_PUBLIC) \
	X(COUNTERS,        PVS_ROLE_FRONT,     PVS_ROLE_VAULT,     0,             0,   PVS_PUBLIC) \
	X(COUNTERS_ARE,    PVS_ROLE_VAULT,     PVS_ROLE_FRONT,     4 * PVS_KIB,   0,   PVS_PUBLIC)
/* clang-format on */

#define PVS_MESSAGE_ENUM(name, asker, answerer, cap, fds, secret) PVS_MESSAGE_##name,
typedef enum {
	PVS_MESSAGE_NONE_,
	PVS_MESSAGES(PVS_MESSAGE_ENUM) PVS_MESSAGE_LAST_,
	} PvsMessageType;
#undef PVS_MESSAGE_ENUM

#define PVS_FRAME_HEADER    16 /* bytes */
#define PVS_MESSAGE_MAX_FDS 2

/* The columns of a row; @type must be one of the list. */
const char *pvs_message_name(PvsMessageType type);
gsize pvs_message_cap(PvsMessageType type); /* of the body, in bytes */
guint pvs_message_fds(PvsMessageType type);
gboolean pvs_message_secret(PvsMessageType type);

/* TRUE if @type (any number) is a message that @from may send to @to. */
gboolean pvs_message_permitted(guint32 type, PvsRole from, PvsRole to);

const char *pvs_role_name(PvsRole role); /* "monitor", "front", "trust", "vault" */
