/* SPDX-License-Identifier: MIT */
/*
 * cage.h - what a process gives up before it reads a byte from anybody
 */
#pragma once

#include "protocol/message.h"

/* The one place where a process gives up what it does not need, in one order: not dumpable, no new
 * privileges, tied to the monitor's life, resource limits. Called first of all in every process.
 * PVS_ERROR_SYSTEM where a step fails: the caller ends then, it never goes on without. */
gboolean role_enter(PvsRole role, GError **error);
