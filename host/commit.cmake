# cmake -DSOURCE=FOLDER -DHEADER=FILE -P host/commit.cmake: writes EPOCHCAST_COMMIT into HEADER, unless that
# is in it already. The commit is git's, if SOURCE is a repository of its own (one that merely encloses it is
# another project's), else the one that `git archive` wrote into a tarball, else "unknown".
cmake_minimum_required(VERSION 3.20)
set(archived "$Format:%h$") # replaced by `git archive`: host/.gitattributes
set(commit "unknown")
if(NOT archived MATCHES "Format")
    set(commit ${archived})
endif()

find_program(GIT git)
if(GIT)
    execute_process(COMMAND ${GIT} -C ${SOURCE} rev-parse --show-toplevel OUTPUT_VARIABLE repository
                    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    file(REAL_PATH "${SOURCE}" source)
    if(repository)
        file(REAL_PATH "${repository}" repository)
    endif()
    if(repository STREQUAL source)
        execute_process(COMMAND ${GIT} -C ${SOURCE} describe --always --dirty OUTPUT_VARIABLE described
                        OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
        if(described)
            set(commit ${described})
        endif()
    endif()
endif()
file(CONFIGURE OUTPUT ${HEADER} CONTENT "#define EPOCHCAST_COMMIT \"@commit@\"\n" @ONLY)
