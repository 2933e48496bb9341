/* SPDX-License-Identifier: MIT */
/* The version that --version prints; the tools of one source tree share it. */
#ifndef VERSION_H
#define VERSION_H

#define BPF2THUMB_VERSION "0.1.0"

#endif
