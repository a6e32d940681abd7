/* SPDX-License-Identifier: MIT */
/*
 * audit-tail.h - where the chain of an audit log's file is, whatever its end looks like
 */
#pragma once

#include "protocol/audit.h"

/* Goes on with @chain (where it was before this file) to the end of the file @fd: from its last
 * line that is one, over what came behind it; where there is none, over all that there is. Lines
 * before that one are not looked at: that is what "pvsecretctl audit verify" is for. *@ended: what
 * is appended begins a line. FALSE with errno, and @chain as it was: the file cannot be read. */
gboolean pvs_audit_tail(int fd, PvsAuditChain *chain, gboolean *ended);
