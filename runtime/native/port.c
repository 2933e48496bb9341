/* SPDX-License-Identifier: MIT */
/* The host's state behind port_impl.h. */
#include "bpf/port.h"

_Thread_local struct bpf_vm *port_vm;
