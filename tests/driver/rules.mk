# A model of registers and of the kernel's calls, for drivers on the host. A test includes model.h first
# and then the sources of its driver.
tests/driver_SRCS := model.c
tests/driver_CFLAGS := -Irtos/include
tests/driver_MAY_INCLUDE := rtos/include

test_driver_chip_DIRS := tests/driver rtos/driver
test_driver_clock_DIRS := tests/driver rtos/driver
test_driver_flash_DIRS := tests/driver rtos/driver
test_driver_line_DIRS := tests/driver rtos/driver
test_driver_logic_DIRS := tests/driver rtos/driver
test_driver_nucleo_DIRS := tests/driver rtos/driver
test_driver_pins_DIRS := tests/driver rtos/driver
test_driver_timers_DIRS := tests/driver rtos/driver
test_driver_uart_DIRS := tests/driver rtos/driver
