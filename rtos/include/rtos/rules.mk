rtos/include/rtos_MAY_INCLUDE := runtime/include
