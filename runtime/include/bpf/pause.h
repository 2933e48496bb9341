/* SPDX-License-Identifier: MIT */
#ifndef BPF_PAUSE_H
#define BPF_PAUSE_H

/*
 * Called by what may take long (a CRC, the scan of code), every thousand cycles or so, from wherever that is called: who runs it
 * may let others run in between. Whoever links it has one; on a PC nobody waits (native/pause.c).
 */
void bpf_pause(void);

#endif
