rtos/include/hal_MAY_INCLUDE := rtos/include/rtos
