/* SPDX-License-Identifier: MIT */
/*
 * What differs between the host and the board for runtime code: how guest memory is reached, and
 * whether it is checked. On the board a guest address is an address and the MPU checks; on the host
 * guest addresses are those of the board (memmap.h) and every access is looked up. The build puts the
 * directory of one of two port_impl.h into the include path: runtime/native or runtime/cortexm.
 *
 *   PORT_CHECKED                   1: bytecode and helper arguments are checked by us
 *   void *port_guest(vm, addr, size, write)   pointer to guest memory, NULL if not accessible
 *   uint32_t port_address(vm, pointer)        the guest address of a pointer into the arena
 *   port_device(vm, id, args)                 a helper behind SVC
 */
#ifndef BPF_PORT_H
#define BPF_PORT_H

#include "port_impl.h"

#endif
