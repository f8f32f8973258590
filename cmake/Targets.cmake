# The kinds of targets: pure libraries (no I/O library), shell libraries, programs and unit tests. Flags are set here and nowhere else.
option(FEEDWIRE_WERROR "Warnings are errors" OFF)
set(FEEDWIRE_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined")

add_library(feedwire_flags INTERFACE)
target_include_directories(feedwire_flags INTERFACE "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}/generated")
target_compile_features(feedwire_flags INTERFACE c_std_11)
target_compile_definitions(feedwire_flags INTERFACE _GNU_SOURCE FEEDWIRE_VERSION="${PROJECT_VERSION}")
target_compile_options(feedwire_flags INTERFACE
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wformat=2 -fno-common
    -fstack-protector-strong -fPIE $<$<BOOL:${FEEDWIRE_WERROR}>:-Werror>)
target_link_options(feedwire_flags INTERFACE -pie -Wl,-z,relro,-z,now)
if(FEEDWIRE_SANITIZE)
    target_compile_options(feedwire_flags INTERFACE -fsanitize=${FEEDWIRE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
    target_link_options(feedwire_flags INTERFACE -fsanitize=${FEEDWIRE_SANITIZE})
else()
    target_compile_options(feedwire_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
endif()

# A room is a folder with a CMakeLists.txt.
function(feed_add_room path)
    if(EXISTS "${PROJECT_SOURCE_DIR}/${path}/CMakeLists.txt")
        add_subdirectory(${path})
    endif()
endfunction()

# feed_pure_library(NAME SOURCES a.c b.c LINK libs): may not include libwebsockets, librdkafka, hiredis or libuv; test "purity" checks.
function(feed_pure_library name)
    feed_shell_library(${name} ${ARGN})
    cmake_parse_arguments(A "" "" "SOURCES;LINK" ${ARGN})
    list(TRANSFORM A_SOURCES PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
    set_property(GLOBAL APPEND PROPERTY FEEDWIRE_PURE_SOURCES ${A_SOURCES})
    set_property(GLOBAL APPEND PROPERTY FEEDWIRE_PURE_TARGETS ${name})
endfunction()

# feed_shell_library(NAME SOURCES .. LINK ..): wraps a library or does I/O.
function(feed_shell_library name)
    cmake_parse_arguments(A "" "" "SOURCES;LINK" ${ARGN})
    add_library(${name} STATIC ${A_SOURCES})
    target_link_libraries(${name} PUBLIC feedwire_flags ${A_LINK})
endfunction()

# feed_program(NAME SOURCES .. LINK ..)
function(feed_program name)
    cmake_parse_arguments(A "" "" "SOURCES;LINK" ${ARGN})
    add_executable(${name} ${A_SOURCES})
    target_link_libraries(${name} PRIVATE feedwire_flags ${A_LINK})
    if(NOT FEEDWIRE_SANITIZE)
        target_link_libraries(${name} PRIVATE PkgConfig::JEMALLOC)
    endif()
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
    install(TARGETS ${name} RUNTIME)
endfunction()

# feed_unit_test(NAME SOURCES .. LINK ..): a cmocka program; runs from the top of the source tree, so that it finds schemas/vectors.
function(feed_unit_test name)
    cmake_parse_arguments(A "" "" "SOURCES;LINK" ${ARGN})
    add_executable(${name} ${A_SOURCES})
    target_link_libraries(${name} PRIVATE feedwire_flags ${A_LINK} PkgConfig::CMOCKA)
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()

# feed_embed(TARGET FILE SYMBOL): makes generated/embed/SYMBOL.h with `static const char SYMBOL[]` and adds it to the target.
function(feed_embed target file symbol)
    set(header "${PROJECT_BINARY_DIR}/generated/embed/${symbol}.h")
    add_custom_command(OUTPUT "${header}"
        COMMAND Python3::Interpreter "${PROJECT_SOURCE_DIR}/cmake/embed.py" "${PROJECT_SOURCE_DIR}/${file}" ${symbol} "${header}"
        DEPENDS "${PROJECT_SOURCE_DIR}/${file}" "${PROJECT_SOURCE_DIR}/cmake/embed.py" VERBATIM)
    target_sources(${target} PRIVATE "${header}")
endfunction()
