# Finds the libraries (docs/dependencies.md says what each is for). scripts/setup may have unpacked some of them into a private
# prefix, because the system's are too old; then they are found there, and by rpath at run time.
if(DEFINED ENV{FEEDWIRE_CACHE})
    set(_feedwire_cache "$ENV{FEEDWIRE_CACHE}")
elseif(DEFINED ENV{XDG_CACHE_HOME})
    set(_feedwire_cache "$ENV{XDG_CACHE_HOME}/feedwire")
else()
    set(_feedwire_cache "$ENV{HOME}/.cache/feedwire")
endif()
set(FEEDWIRE_PREFIX "${_feedwire_cache}/prefix" CACHE PATH "Private prefix with libraries newer than the system's (may be empty)")

file(GLOB _pkgconfig_dirs "${FEEDWIRE_PREFIX}/usr/lib/*/pkgconfig")
foreach(dir ${_pkgconfig_dirs})
    set(ENV{PKG_CONFIG_PATH} "${dir}:$ENV{PKG_CONFIG_PATH}")
    cmake_path(GET dir PARENT_PATH _libdir)
    list(APPEND CMAKE_BUILD_RPATH "${_libdir}")
    list(APPEND CMAKE_INSTALL_RPATH "${_libdir}")
endforeach()

find_package(PkgConfig REQUIRED)
foreach(dependency
        "LWS libwebsockets>=4.3" "UV libuv>=1.40" "HIREDIS hiredis>=1.2" "RDKAFKA rdkafka>=2.0" "MSGPACK msgpack-c>=6.0"
        "YYJSON yyjson>=0.8" "OPENSSL libcrypto>=3.0" "XXHASH libxxhash" "JEMALLOC jemalloc" "CMOCKA cmocka")
    separate_arguments(_d UNIX_COMMAND "${dependency}")
    list(GET _d 0 _name)
    list(GET _d 1 _what)
    pkg_check_modules(${_name} IMPORTED_TARGET "${_what}")
    if(NOT ${_name}_FOUND)
        message(FATAL_ERROR "${_what} was not found. Run scripts/setup run, or install its development files.")
    endif()
endforeach()
find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)
