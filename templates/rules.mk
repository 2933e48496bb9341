# What `bpf2thumb new` makes: a program of each type, and the files of a project. @NAME@ is the project, @IDENT@
# the same as a name in C, @SEC@ its SEC(), @RUN@ what the second line of the program's template says.
templates_MAY_INCLUDE :=

TEMPLATES := $(wildcard templates/*.bpf.c.in) templates/Makefile templates/gitignore
INSTALL_DATA += $(TEMPLATES:%=%:share/bpf2thumb/templates)
