# Every library that we stand on, found by pkg-config or by header and named vc::<name>.
# Headers of libraries are SYSTEM includes, so that our warnings judge our code only.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
add_library(vc::threads ALIAS Threads::Threads)

function(vc_pkg name module)
        pkg_check_modules(${name} REQUIRED IMPORTED_TARGET GLOBAL ${module})
        add_library(vc::${name} ALIAS PkgConfig::${name})
endfunction()

vc_pkg(event libevent_core)
vc_pkg(event_pthreads libevent_pthreads)
vc_pkg(yaml yaml-0.1)
vc_pkg(yajl yajl)
vc_pkg(msgpack msgpack)
vc_pkg(lmdb lmdb)
vc_pkg(hiredis hiredis)
vc_pkg(pq libpq)
vc_pkg(zlib zlib)
vc_pkg(xxhash libxxhash)
vc_pkg(zstd libzstd)
vc_pkg(cmocka cmocka)

# libcsv ships no .pc file.
find_path(VC_CSV_INCLUDE csv.h REQUIRED)
find_library(VC_CSV_LIBRARY csv REQUIRED)
add_library(vc::csv UNKNOWN IMPORTED)
set_target_properties(vc::csv PROPERTIES IMPORTED_LOCATION ${VC_CSV_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES ${VC_CSV_INCLUDE})
