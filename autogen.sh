#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes ./configure from configure.ac, for who has a checkout and not a release.
set -e
cd "$(dirname "$0")"
exec autoreconf --install --force "$@"
