# vc_layer(<folder> [ASIDE] [LIBS ...] [GENERATED ...]): the library vc_<folder> of all .c files in the folder (main.c
# left out) and those generated, linked against the folders declared before it. A folder without .c files is skipped.
# ASIDE: the folders declared after it may not use it.
#
# Static libraries alone do not hold the order: an upward call links as soon as the upper object is in the program
# anyway. So each folder is also linked, whole, into a shared "closure" with -Wl,-z,defs against the lower folders
# only: a call upwards is an undefined symbol there, and the build fails.
set(VC_LAYERS "" CACHE INTERNAL "folders declared so far, lowest first")
set(VC_LAYERS "")

function(vc_layer folder)
        cmake_parse_arguments(ARG "ASIDE" "" "LIBS;GENERATED" ${ARGN})
        file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c)
        list(REMOVE_ITEM sources ${CMAKE_SOURCE_DIR}/${folder}/main.c)
        list(APPEND sources ${ARG_GENERATED})
        if(NOT sources)
                return()
        endif()

        set(below "")
        foreach(layer ${VC_LAYERS})
                list(PREPEND below vc_${layer})
        endforeach()

        add_library(vc_${folder} STATIC ${sources})
        set_target_properties(vc_${folder} PROPERTIES POSITION_INDEPENDENT_CODE ON VC_WHOLE ON)
        add_dependencies(vc_programs vc_${folder})
        target_link_libraries(vc_${folder} PUBLIC ${below} ${ARG_LIBS} PRIVATE vc_flags)

        if(NOT VC_SANITIZE)     # the sanitizers' own runtime is undefined in a shared object on purpose
                add_library(closure_${folder} SHARED $<TARGET_OBJECTS:vc_${folder}>)
                target_link_options(closure_${folder} PRIVATE -Wl,-z,defs -fno-lto)
                set(closures "")
                foreach(layer ${VC_LAYERS})
                        list(PREPEND closures closure_${layer})
                endforeach()
                target_link_libraries(closure_${folder} PRIVATE ${closures} ${ARG_LIBS})
                set_target_properties(closure_${folder} PROPERTIES LINKER_LANGUAGE C
                        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/closures)
        endif()

        if(NOT ARG_ASIDE)
                list(APPEND VC_LAYERS ${folder})
                set(VC_LAYERS "${VC_LAYERS}" PARENT_SCOPE)
        endif()
endfunction()

# Our own code without its tests: what the static analyzer looks at.
add_custom_target(vc_programs)

# vc_program(<name> <main.c> LIBS ...): a program in bin/, if its main file is there.
function(vc_program name main)
        cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
        if(EXISTS ${CMAKE_SOURCE_DIR}/${main})
                add_executable(${name} ${main})
                target_link_libraries(${name} PRIVATE ${ARG_LIBS} vc_flags)
                set_target_properties(${name} PROPERTIES VC_WHOLE ON)
                add_dependencies(vc_programs ${name})
        endif()
endfunction()

# vc_program_glob(<name> <folder> LIBS ...): a program of all .c files of a folder; all but main.c are in the library
# vc_<folder> for its unit tests. No layer: nothing else may use it.
function(vc_program_glob name folder)
        cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
        file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c)
        list(REMOVE_ITEM sources ${CMAKE_SOURCE_DIR}/${folder}/main.c)
        if(sources)
                add_library(vc_${folder} STATIC ${sources})
                target_link_libraries(vc_${folder} PUBLIC ${ARG_LIBS} PRIVATE vc_flags)
                add_executable(${name} ${folder}/main.c)
                target_link_libraries(${name} PRIVATE vc_${folder} vc_flags)
                add_dependencies(vc_programs ${name})
        endif()
endfunction()
