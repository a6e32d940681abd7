/* SPDX-License-Identifier: MIT */
/*
 * call.h - one JSON-RPC call as text, and where each of its parameters came from
 *
 * The text is written by hand, piece by piece: a secret stands in it as a piece of its own that is
 * sent from where it lies and never copied. For each parameter the builder keeps the argument that
 * the user gave, so that an error about "/host_keys/1/document" can say "-k z16.crt".
 */
#pragma once

#include <sys/uio.h>

#include <glib.h>

#include "client/secret.h"

typedef struct PvsCall PvsCall;

/* A call of @method with the id PVS_CALL_ID and no parameters yet. */
PvsCall *pvs_call_new(const char *method);
void pvs_call_free(PvsCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsCall, pvs_call_free)

#define PVS_CALL_ID 1

/* Adds to the object or list that is open. @member is the name within an object, NULL within a
 * list. @origin is how the user gave it ("-k z16.crt"), copied; NULL: not by the user. Text must be
 * valid UTF-8. */
void pvs_call_text(PvsCall *call, const char *member, const char *text, const char *origin);
void pvs_call_true(PvsCall *call, const char *member, const char *origin);
void pvs_call_base64(PvsCall *call, const char *member, GBytes *bytes, const char *origin);

/* A certificate, CRL or host-key document as the API takes it: text as it is (PEM), else base64. */
void pvs_call_document(PvsCall *call, const char *member, GBytes *bytes, const char *origin);

/* @secret, which is base64 already and must outlive the call, at most once in a call. */
void pvs_call_secret(PvsCall *call, const char *member, const PvsClientSecret *secret,
		     const char *origin);

/* Opens an object or a list (@bracket '{' or '['), and closes the one opened last. */
void pvs_call_open(PvsCall *call, const char *member, char bracket, const char *origin);
void pvs_call_close(PvsCall *call);

/* Ends the text. The pieces to send, in order, at most PVS_CALL_PIECES; they point into @call. */
#define PVS_CALL_PIECES 3
guint pvs_call_pieces(PvsCall *call, struct iovec pieces[PVS_CALL_PIECES]);

const char *pvs_call_method(const PvsCall *call);

/* The argument behind a JSON pointer, or behind the nearest thing around it; NULL: none. */
const char *pvs_call_origin(const PvsCall *call, const char *pointer);
