# The client of a board: the line to it, questions and answers, what the commands of the board share.
compiler/device_SRCS := device.c grant_words.c line.c message.c plot.c smp_client.c
compiler/device_MAY_INCLUDE := compiler/util runtime/include
