# libepochcast, shared and static: the rooms up to forecast behind one public header. Both are made of
# one object with everything in it, whose names other than that header's are local: no clash with the
# caller's. HDF5 is the shared one, as the caller's would be; Debian's archive is not for libraries.
set(EPOCHCAST_LIBRARY_NEEDS ${hdf5_shared} ${dnnl_library} ${openmp_library} -lz -lm -ldl -lpthread)
set(rooms forecast predictors trainer network data bench onednn layers base)
list(TRANSFORM rooms PREPEND epochcast_ OUTPUT_VARIABLE room_targets)
list(TRANSFORM room_targets REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE room_archives)
set(combined ${PROJECT_BINARY_DIR}/generated/epochcast_combined.o)
add_custom_command(
    OUTPUT ${combined}
    COMMAND ${CMAKE_C_COMPILER} -r -nostdlib -Wl,-d -o ${combined} # -d: common symbols, too, become local
            -Wl,--whole-archive $<TARGET_FILE:epochcast_library> -Wl,--no-whole-archive
            -Wl,--start-group ${room_archives} -Wl,--end-group
    COMMAND ${CMAKE_OBJCOPY} --wildcard "--keep-global-symbol=epochcast_*" ${combined}
    DEPENDS epochcast_library ${room_targets}
    VERBATIM)
add_custom_target(epochcast_combined DEPENDS ${combined})
set_source_files_properties(${combined} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)

add_library(epochcast_shared SHARED ${combined})
set(symbols ${CMAKE_CURRENT_LIST_DIR}/symbols.map)
target_link_libraries(epochcast_shared PRIVATE ${EPOCHCAST_LIBRARY_NEEDS})
target_link_options(epochcast_shared PRIVATE "-Wl,--version-script=${symbols}" -Wl,--as-needed)
set_target_properties(epochcast_shared PROPERTIES VERSION ${PROJECT_VERSION}
                      SOVERSION ${PROJECT_VERSION_MAJOR} LINK_DEPENDS ${symbols})
add_library(epochcast_static STATIC ${combined})
target_link_libraries(epochcast_static INTERFACE ${EPOCHCAST_LIBRARY_NEEDS})

foreach(form IN ITEMS shared static)
    add_dependencies(epochcast_${form} epochcast_combined)
    set_target_properties(epochcast_${form} PROPERTIES OUTPUT_NAME epochcast LINKER_LANGUAGE C)
    target_include_directories(epochcast_${form} INTERFACE
        $<BUILD_INTERFACE:${CMAKE_CURRENT_LIST_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
set_target_properties(epochcast_shared PROPERTIES EXPORT_NAME epochcast)
