# bin/failing: the program, of copies of its archives whose calls of malloc go to calls.c; the linker sends
# the other calls of calls.h there. Nothing of the program is compiled for it.
set(failing_rooms base layers network bench onednn data sweep step trainer predictors evaluate forecast pictures cli)
set(renamed malloc calloc realloc strdup strndup open_memstream)
list(TRANSFORM renamed REPLACE "(.+)" "--redefine-sym=\\1=failing_\\1")
foreach(room IN LISTS failing_rooms)
    set(copy ${CMAKE_CURRENT_BINARY_DIR}/failing/lib${room}.a)
    add_custom_command(OUTPUT ${copy} DEPENDS epochcast_${room} VERBATIM
                       COMMAND ${CMAKE_OBJCOPY} ${renamed} $<TARGET_FILE:epochcast_${room}> ${copy})
    list(APPEND failing_copies ${copy})
endforeach()
add_custom_target(failing_copies DEPENDS ${failing_copies})
file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/failing)

set(calls ${CMAKE_CURRENT_LIST_DIR}/calls.h)
file(STRINGS ${calls} wrapped REGEX "^(NEGATIVE|NONE|CODE|AFTER|SOMETIMES)\\(")
list(TRANSFORM wrapped REPLACE ".*, ([a-zA-Z0-9_]+), .*" "-Wl,--wrap=\\1")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${calls})

add_executable(failing ${PROJECT_SOURCE_DIR}/host/cli/main.c ${CMAKE_CURRENT_LIST_DIR}/calls.c)
add_dependencies(failing failing_copies)
target_include_directories(failing PRIVATE ${PROJECT_SOURCE_DIR}/host)
target_link_options(failing PRIVATE ${wrapped})
target_link_libraries(failing PRIVATE -Wl,--start-group ${failing_copies} -Wl,--end-group epochcast_hdf5
                      epochcast_cjson DNNL::dnnl OpenMP::OpenMP_C Threads::Threads ${CMAKE_DL_LIBS} m)
set_target_properties(failing PROPERTIES LINK_DEPENDS "${failing_copies}")
